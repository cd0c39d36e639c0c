package rest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	metav1validation "k8s.io/apimachinery/pkg/apis/meta/v1/validation"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/resource"
)

// A client has bodyTime to send a body, and a second more for each bodyRate of it.
const (
	bodyTime = 10 * time.Second
	bodyRate = 256 << 10 // bytes
)

// What is decoded at the same time may take decoding bytes; a light body is not counted.
const (
	decoding = 256 << 20
	light    = 256 << 10
)

// body reads what the request carries, up to resource.MaxBody. Who sends it slowly holds seats that others wait for:
// there is less time for it than for the request.
func (c *call) body() ([]byte, error) {
	control := http.NewResponseController(c.w.ResponseWriter)
	_ = control.SetReadDeadline(time.Now().Add(c.bodyTime + time.Duration(max(0, c.r.ContentLength)/bodyRate)*time.Second))
	data, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, resource.MaxBody))
	_ = control.SetReadDeadline(time.Now().Add(requestTimeout + requestGrace))
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, apierrors.NewRequestEntityTooLargeError(fmt.Sprintf("limit is %d", large.Limit))
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, slowBody()
	case err != nil:
		return nil, apierrors.NewBadRequest(fmt.Sprintf("reading the body: %v", err))
	}
	if err := c.weigh(data); err != nil {
		return nil, err
	}
	if c.mediaType() != runtime.ContentTypeProtobuf {
		c.audit.request(data)
	}
	return data, nil
}

// weigh waits until there is memory to decode a body with, which the request keeps to its end.
func (c *call) weigh(body []byte) error {
	weight, err := resource.Weigh(c.r.Header.Get("Content-Type"), body)
	if err != nil || weight <= light {
		return err
	}
	if err := c.memory.Acquire(c.r.Context(), weight); err != nil {
		return err
	}
	c.ended = append(c.ended, func() { c.memory.Release(weight) })
	return nil
}

func slowBody() error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusRequestTimeout, Reason: metav1.StatusReasonTimeout,
		Message: "the body of the request did not come in time",
	}}
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
	if errs := metav1validation.ValidateFieldValidation(field.NewPath("fieldValidation"), validation); len(errs) > 0 {
		return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: c.optionsKind()}, "", errs)
	}
	_, warnings, err := resource.Decode(gvk, into, c.r.Header.Get("Content-Type"), data, validation)
	for _, w := range warnings {
		c.warn(w)
	}
	if err == nil && c.audit != nil {
		c.auditDecoded(into)
	}
	return err
}

// optionsKind names the type of the request's parameters.
func (c *call) optionsKind() string {
	switch c.info.Verb {
	case "create":
		return "CreateOptions"
	case "update":
		return "UpdateOptions"
	}
	return "DeleteOptions"
}

// auditDecoded tells the audit log of what only the decoded body says.
func (c *call) auditDecoded(obj runtime.Object) {
	if m, err := meta.Accessor(obj); err == nil {
		c.audit.names(m)
	}
	if c.mediaType() == runtime.ContentTypeProtobuf {
		if raw, err := json.Marshal(obj); err == nil {
			c.audit.request(raw)
		}
	}
}

// mediaType is the body's, without its parameters.
func (c *call) mediaType() string {
	media, _, err := mime.ParseMediaType(c.r.Header.Get("Content-Type"))
	if err != nil {
		return c.r.Header.Get("Content-Type")
	}
	return media
}
