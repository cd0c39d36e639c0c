package rest

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

var statusKind = schema.GroupVersionKind{Version: "v1", Kind: "Status"}

// statusOf is an error as clients see it. Whatever is not an API error already is the server's own fault.
func statusOf(err error) metav1.Status {
	var known apierrors.APIStatus
	var status metav1.Status
	switch {
	case errors.As(err, &known):
		status = known.Status()
	case errors.Is(err, context.DeadlineExceeded):
		status = apierrors.NewTimeoutError("the request did not complete within "+requestTimeout.String(), 0).Status()
	default:
		status = apierrors.NewInternalError(err).Status()
	}
	status.Kind, status.APIVersion = statusKind.Kind, statusKind.Version
	if status.Code == 0 {
		status.Code = http.StatusInternalServerError
	}
	return status
}

// fail answers with an error's Status. What fails because the client has gone is no failure.
func (c *call) fail(err error) {
	status := statusOf(err)
	c.failure = &status
	if status.Code >= http.StatusInternalServerError && errors.Is(c.r.Context().Err(), context.Canceled) {
		return
	}
	if status.Code >= http.StatusInternalServerError {
		slog.Warn("A request failed", "method", c.r.Method, "uri", c.r.RequestURI, "user", c.user.Name, "auditID", c.id, "error", err)
	}
	if status.Details != nil && status.Details.RetryAfterSeconds > 0 {
		c.w.Header().Set("Retry-After", strconv.Itoa(int(status.Details.RetryAfterSeconds)))
	}
	if c.mount != nil && c.mount.Refuse != nil {
		c.mount.Refuse(c.w, int(status.Code), status.Message)
		return
	}
	c.answer(int(status.Code), &status, statusKind)
}

// notFound is the answer for a path that means nothing. Its details are empty: that is how clients tell it from an
// object that is not there.
func notFound(c *call) error {
	message := "the server could not find the requested resource"
	if c.info.Resource != "" {
		what := c.info.Resource
		if c.info.Group != "" {
			what += "." + c.info.Group
		}
		if c.info.Subresource != "" {
			what += "/" + c.info.Subresource
		}
		message += " (" + c.info.Verb + " " + what + ")"
	}
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
		Message: message, Details: &metav1.StatusDetails{},
	}}
}

func notAllowed(c *call) error {
	return apierrors.NewMethodNotSupported(schema.GroupResource{Group: c.info.Group, Resource: c.info.Resource}, c.info.Verb)
}

func notAcceptable(offers string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusNotAcceptable, Reason: metav1.StatusReasonNotAcceptable,
		Message: "only the following media types are accepted: " + offers,
	}}
}

func unsupportedMedia(got, offers string) error {
	return &apierrors.StatusError{ErrStatus: metav1.Status{
		Status: metav1.StatusFailure, Code: http.StatusUnsupportedMediaType, Reason: metav1.StatusReasonUnsupportedMediaType,
		Message: "the body of the request was in an unknown format (" + got + ") - accepted media types include: " + offers,
	}}
}
