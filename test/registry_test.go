package test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
	authorizationv1 "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
)

// address is where the API is reached, and with it the registry.
func (c *cluster) address(t *testing.T) string {
	t.Helper()
	config, err := clientcmd.BuildConfigFromFlags("", c.kubeconfig())
	must(t, err)
	at, err := url.Parse(config.Host)
	must(t, err)
	return at.Host
}

// account makes a service account that has a role in its namespace, and gives a token of it.
func (s space) account(t *testing.T, account, role string) string {
	t.Helper()
	s.must(t, "-n", s.namespace, "create", "serviceaccount", account)
	s.must(t, "-n", s.namespace, "create", "rolebinding", account, "--clusterrole="+role, "--serviceaccount="+s.namespace+":"+account)
	return strings.TrimSpace(s.must(t, "-n", s.namespace, "create", "token", account))
}

// withToken are the options of a registry's client that has a token as its password, as docker login has it.
func withToken(ctx context.Context, token string) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuth(&authn.Basic{Username: "anyone", Password: token}),
		remote.WithTransport(&http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}),
	}
}

// TestRegistryRights pushes and pulls as service accounts: a role in a namespace holds for the images below its name.
func TestRegistryRights(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	host := s.address(t)
	editor, viewer := withToken(ctx, s.account(t, "editor", "edit")), withToken(ctx, s.account(t, "viewer", "view"))
	img, another := freshTool(t), freshTool(t)
	mine, err := name.NewTag(host + "/" + s.namespace + "/app:1")
	must(t, err)
	others, err := name.NewTag(host + "/" + s.namespace + "-other/app:1")
	must(t, err)
	everyones, err := name.NewTag(host + "/" + s.namespace + ":1")
	must(t, err)

	eventually(t, "the editor may push", func() bool { return remote.Write(mine, img, editor...) == nil })
	_, err = remote.Head(mine, viewer...)
	must(t, err)
	for what, err := range map[string]error{
		"pushing as a viewer":              remote.Write(mine, another, viewer...),
		"deleting as a viewer":             remote.Delete(mine, viewer...),
		"pushing into another namespace":   remote.Write(others, img, editor...),
		"pushing beside the namespaces":    remote.Write(everyones, img, editor...),
		"listing everything as an editor":  second(remote.Catalog(ctx, mine.Registry, editor...)),
		"reading another namespace's":      second(remote.List(others.Context(), editor...)),
		"reading with no credentials":      second(remote.List(mine.Context(), append(viewer, remote.WithAuth(authn.Anonymous))...)),
		"reading with a token of nobody's": second(remote.List(mine.Context(), withToken(ctx, "nobody's")...)),
	} {
		var answer *transport.Error
		if !errors.As(err, &answer) || answer.StatusCode != http.StatusForbidden && answer.StatusCode != http.StatusUnauthorized {
			t.Errorf("%s: %v", what, err)
		}
	}
	s.ready(t, s.tool(t, "pulls", "stay", image("registry.leme/"+s.namespace+"/app:1", "")))
	review, err := s.client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User: "system:serviceaccount:" + s.namespace + ":editor",
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Verb: "update", Group: "registry.leme", Resource: "images", Namespace: s.namespace, Name: "app",
			},
		},
	}, metav1.CreateOptions{})
	must(t, err)
	if !review.Status.Allowed {
		t.Errorf("the review says %+v", review.Status)
	}
	must(t, remote.Delete(mine, editor...))
}

func second[T any](_ T, err error) error { return err }

// TestDockerPush pushes as Docker's users do: docker login with a token, then docker push.
func TestDockerPush(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	token := s.account(t, "pusher", "edit")
	tag := s.address(t) + "/" + s.namespace + "/docker:1"
	img := freshTool(t)
	repository := fmt.Sprintf("docker-%d", os.Getpid())
	source, err := s.push(repository, img)
	must(t, err)
	s.ready(t, s.tool(t, "puller", "stay", image(source, ""))) // the engine has it now

	config := t.TempDir()
	docker := func(args ...string) (string, error) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		cmd := exec.CommandContext(ctx, "docker", args...)
		cmd.Env = append(os.Environ(), "DOCKER_CONFIG="+config)
		cmd.Stdin = strings.NewReader(token)
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	for _, args := range [][]string{{"tag", source, tag}, {"login", "-u", "token", "--password-stdin", s.address(t)}, {"push", tag}} {
		if out, err := docker(args...); err != nil {
			t.Fatalf("docker %v: %v\n%s", args, err, out)
		}
	}
	removesImage(t, tag)
	if out := s.must(t, "image", "tags", s.namespace+"/docker"); out != "1\n" {
		t.Errorf("its tags are %q", out)
	}
	wrong := s.address(t) + "/other/docker:1"
	_, err = docker("tag", source, wrong)
	must(t, err)
	removesImage(t, wrong)
	if out, err := docker("push", wrong); err == nil || !strings.Contains(out, "denied") {
		t.Errorf("pushing into another namespace: %v, %s", err, out)
	}
}

// TestRegistryConformance runs the distribution specification's suite against the registry as it stands behind the
// server: with TLS, a token, and the rights of a role.
func TestRegistryConformance(t *testing.T) {
	t.Parallel()
	s := sharedSpace(t)
	token := s.account(t, "conformance", "edit")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := s.cluster.client(ctx, t, "conformance")
	cmd.Dir = t.TempDir()
	cmd.Env = append(cmd.Env, "OCI_REGISTRY="+s.address(t), "OCI_TLS=enabled", "SSL_CERT_FILE="+filepath.Join(s.home, "pki", "ca.crt"), "OCI_USERNAME=token", "OCI_PASSWORD="+token, "OCI_VERSION=1.1",
		"OCI_REPO1="+s.namespace+"/one", "OCI_REPO2="+s.namespace+"/two",
		"OCI_API_BLOBS_UPLOAD_CANCEL=true", "OCI_API_BLOBS_DIGEST_HEADER=true",
		"OCI_API_MANIFESTS_DIGEST_HEADER=true", "OCI_API_MANIFESTS_TAG_PARAM=true")
	if out, err := cmd.CombinedOutput(); err != nil || strings.Contains(string(out), "detected a failure") {
		t.Errorf("%v\n%s", err, out)
	}
}
