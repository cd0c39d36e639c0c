// Package token makes and checks the tokens of service accounts: JSON Web Tokens with Kubernetes' claims, for some
// audiences and some time, and bound to a pod, a secret or a node where that is asked for. A token is good for as long
// as its account and what it is bound to are there.
//
//	keys, err := token.OpenKeys(filepath.Join(pki, "sa.key"))
//	tokens := token.New(keys, api)
//	err = tokens.Request(ctx, "default", "web", request)
//	user, err := tokens.Verify(secret, token.Audiences)
package token
