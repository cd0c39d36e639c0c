package token

import "github.com/golang-jwt/jwt/v5"

// Issuer is who signs, and the audience of tokens for the API itself.
const Issuer = "https://kubernetes.default.svc.cluster.local"

// Audiences are those of tokens that the API takes.
var Audiences = []string{Issuer}

// claims are what a token says.
type claims struct {
	jwt.RegisteredClaims
	Kubernetes private `json:"kubernetes.io"`
}

// private are Kubernetes' own claims.
type private struct {
	Namespace      string `json:"namespace,omitempty"`
	Node           *ref   `json:"node,omitempty"`
	Pod            *ref   `json:"pod,omitempty"`
	Secret         *ref   `json:"secret,omitempty"`
	ServiceAccount ref    `json:"serviceaccount,omitzero"`
	// WarnAfter is when a token should have been renewed that is good for longer.
	WarnAfter *jwt.NumericDate `json:"warnafter,omitempty"`
}

// ref is an object, and not its namesakes.
type ref struct {
	Name string `json:"name,omitempty"`
	UID  string `json:"uid,omitempty"`
}
