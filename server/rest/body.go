package rest

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/resource"
)

// body reads what the request carries, up to resource.MaxBody.
func (c *call) body() ([]byte, error) {
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, resource.MaxBody))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", large.Limit))
	case err != nil:
		return nil, apierrors.NewBadRequest(fmt.Sprintf("reading the body: %v", err))
	}
	return data, nil
}

// decode reads the body into an object. What its type does not know is an error, a warning or nothing, as the
// fieldValidation parameter says.
func (c *call) decode(into runtime.Object, gvk schema.GroupVersionKind) error {
	data, err := c.body()
	if err != nil {
		return err
	}
	return c.decodeBytes(data, into, gvk)
}

func (c *call) decodeBytes(data []byte, into runtime.Object, gvk schema.GroupVersionKind) error {
	validation := c.query.Get("fieldValidation")
	switch validation {
	case "", metav1.FieldValidationIgnore, metav1.FieldValidationWarn, metav1.FieldValidationStrict:
	default:
		return apierrors.NewBadRequest(fmt.Sprintf("fieldValidation: Unsupported value: %q: supported values: \"Ignore\", \"Warn\", \"Strict\"", validation))
	}
	_, warnings, err := resource.Decode(gvk, into, c.r.Header.Get("Content-Type"), data, validation)
	for _, w := range warnings {
		c.warn(w)
	}
	return err
}

// mediaType is the body's, without its parameters.
func (c *call) mediaType() string {
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return c.r.Header.Get("Content-Type")
	}
	return media
}
