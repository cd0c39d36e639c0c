package probe

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// Call makes the request of a lifecycle hook. Whatever is answered is well, as it is to the kubelet: only a container
// that does not answer fails its hook. One that is asked by HTTPS and speaks HTTP is asked again.
func Call(ctx context.Context, a *corev1.HTTPGetAction, t Target) error {
	request, err := newRequest(ctx, a, t, "kube-lifecycle")
	if err != nil {
		return err
	}
	err = call(request)
	if err == nil || !strings.Contains(err.Error(), http.ErrSchemeMismatch.Error()) {
		return err
	}
	plain := request.Clone(ctx)
	plain.URL.Scheme = "http"
	plain.Header.Del("Authorization")
	return call(plain)
}

func call(request *http.Request) error {
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	_, err = io.CopyN(io.Discard, response.Body, maxOutput)
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}
