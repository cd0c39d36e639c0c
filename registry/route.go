package registry

import (
	"fmt"
	"net/http"
	"regexp"
	"strings"

	"github.com/opencontainers/go-digest"
)

// endpoint is what a path names.
type endpoint int

const (
	noEndpoint endpoint = iota
	pingEndpoint
	catalogEndpoint
	collectionEndpoint // ours: collects garbage
	uploadsEndpoint
	uploadEndpoint
	blobEndpoint
	manifestEndpoint
	tagsEndpoint
	referrersEndpoint
)

// route is a request's path in the registry's terms.
type route struct {
	endpoint endpoint
	repo     string
	last     string // a digest, a tag, or an upload's ID
}

// MaxNameLength bounds a repository's name.
const MaxNameLength = 255

const collectionPath = "/v2/_leme/gc"

// The grammar of names and tags is the distribution specification's.
var (
	repoPattern = regexp.MustCompile(`^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*$`)
	tagPattern  = regexp.MustCompile(`^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$`)
)

func checkRepo(name string) error {
	if len(name) > MaxNameLength || !repoPattern.MatchString(name) {
		return fmt.Errorf("%w: %q", ErrNameInvalid, name)
	}
	return nil
}

func checkTag(tag string) error {
	if !tagPattern.MatchString(tag) {
		return fmt.Errorf("%w: %q", errTagInvalid, tag)
	}
	return nil
}

func checkDigest(d digest.Digest) error {
	if err := d.Validate(); err != nil {
		return fmt.Errorf("%w: %q: %w", ErrDigestInvalid, d, err)
	}
	return nil
}

// parsePath reads a path from its end, as a repository's name may hold the words that stand behind it.
func parsePath(path string) (route, error) {
	switch path {
	case "/v2", "/v2/":
		return route{endpoint: pingEndpoint}, nil
	case "/v2/_catalog":
		return route{endpoint: catalogEndpoint}, nil
	case collectionPath:
		return route{endpoint: collectionEndpoint}, nil
	}
	rest, ok := strings.CutPrefix(path, "/v2/")
	if !ok {
		return route{}, errNotFound
	}
	out, ok := cutPath(rest)
	if !ok {
		return route{}, errNotFound
	}
	return out, checkRepo(out.repo)
}

func cutPath(path string) (route, bool) {
	if repo, ok := strings.CutSuffix(strings.TrimSuffix(path, "/"), "/blobs/uploads"); ok {
		return route{uploadsEndpoint, repo, ""}, true
	}
	front, last, ok := cutLast(path)
	if !ok || last == "" {
		return route{}, false
	}
	repo, word, ok := cutLast(front)
	if !ok {
		return route{}, false
	}
	switch word {
	case "blobs":
		return route{blobEndpoint, repo, last}, true
	case "manifests":
		return route{manifestEndpoint, repo, last}, true
	case "referrers":
		return route{referrersEndpoint, repo, last}, true
	case "tags":
		return route{tagsEndpoint, repo, ""}, last == "list"
	case "uploads":
		repo, ok = strings.CutSuffix(repo, "/blobs")
		return route{uploadEndpoint, repo, last}, ok
	}
	return route{}, false
}

func cutLast(path string) (front, last string, ok bool) {
	i := strings.LastIndexByte(path, '/')
	if i < 0 {
		return path, "", false
	}
	return path[:i], path[i+1:], true
}

// Access says what a request wants, for whoever decides whether it may: a verb of Kubernetes' and the repository, which
// is empty for what concerns all of them. Both are empty for a request that asks for nothing but an answer, as clients
// do to log in.
func Access(req *http.Request) (verb, repo string) {
	at, err := parsePath(req.URL.Path)
	reading := req.Method == http.MethodGet || req.Method == http.MethodHead
	switch {
	case err != nil || at.endpoint == pingEndpoint:
		return "", ""
	case at.endpoint == catalogEndpoint:
		return "list", ""
	case at.endpoint == collectionEndpoint:
		return "deletecollection", ""
	case at.endpoint == uploadEndpoint, at.endpoint == uploadsEndpoint:
		return "update", at.repo
	case reading:
		return "get", at.repo
	case req.Method == http.MethodDelete:
		return "delete", at.repo
	}
	return "update", at.repo
}
