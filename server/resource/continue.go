package resource

import (
	"encoding/base64"
	"encoding/json"
	"errors"

	"leme/server/store"
)

// continuation is where a list goes on: after an object, at the revision of the first page.
type continuation struct {
	Version   string `json:"v"`
	Revision  int64  `json:"rv"` // latest: whatever there is by then
	Resource  string `json:"r"`
	Namespace string `json:"ns,omitempty"`
	Name      string `json:"n"`
}

const (
	continuationVersion = "leme/v1"
	// latest stands for the revision in a token that goes on although the first page's is gone.
	latest = -1
	// maxToken bounds a token, in bytes: the longest names there are, and a little.
	maxToken = 2048
)

var errToken = errors.New("continue key is not valid")

// continueAfter is the token of a list that goes on after an item.
func continueAfter(key store.Key, revision int64) string {
	raw, err := json.Marshal(continuation{
		Version: continuationVersion, Revision: revision, Resource: key.GroupResource.String(), Namespace: key.Namespace, Name: key.Name,
	})
	if err != nil {
		panic(err) // strings and a number
	}
	return base64.RawURLEncoding.EncodeToString(raw)
}

// parseContinue reads a token, which must have been given for a list of the same resource and namespace.
func parseContinue(t Target, token string) (continuation, error) {
	var c continuation
	if len(token) > maxToken {
		return c, errToken
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || json.Unmarshal(raw, &c) != nil {
		return c, errToken
	}
	switch {
	case c.Version != continuationVersion, c.Resource != t.resource().String(), c.Name == "":
		return c, errToken
	case c.Revision <= 0 && c.Revision != latest:
		return c, errToken
	case t.Kind.Namespaced != (c.Namespace != ""), t.Namespace != "" && c.Namespace != t.Namespace:
		return c, errToken
	}
	return c, nil
}
