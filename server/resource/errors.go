package resource

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/store"
)

// errModified is what an update hears whose revision is not the newest any more.
var errModified = errors.New("the object has been modified; please apply your changes to the latest version and try again")

// retryAfter is how many seconds clients are asked to wait after a failure that may pass.
const retryAfter = 1

// asStatus gives every error that leaves the package its Kubernetes form.
func asStatus(t Target, err error) error {
	var status *apierrors.StatusError
	var lost *store.ConflictError
	var refused refusal
	switch {
	case err == nil:
		return nil
	case errors.As(err, &refused):
		return refused.error
	case errors.As(err, &status):
		return status
	case errors.As(err, &lost):
		return apierrors.NewConflict(t.resource(), t.Name, errModified)
	case errors.Is(err, store.ErrExpired):
		return apierrors.NewResourceExpired("The resourceVersion for the provided request is too old.")
	case errors.Is(err, context.DeadlineExceeded):
		return apierrors.NewTimeoutError("request did not complete within the allotted timeout", retryAfter)
	case errors.Is(err, context.Canceled):
		return apierrors.NewServiceUnavailable("the request was cancelled before it was done")
	}
	return apierrors.NewInternalError(err)
}

// refusal is the error of a component's own function, which it gets back as it is.
type refusal struct{ error }

// tooLargeRevision is for a resourceVersion that the store has not reached.
func tooLargeRevision(wanted, current int64) error {
	err := apierrors.NewTimeoutError(fmt.Sprintf("Too large resource version: %d, current: %d", wanted, current), retryAfter)
	err.ErrStatus.Details.Causes = []metav1.StatusCause{{
		Type:    metav1.CauseTypeResourceVersionTooLarge,
		Message: "Too large resource version",
	}}
	return err
}

// maxCauses is how many things that are wrong with an object its error tells. Nobody reads more, and putting the message
// together takes the square of their number.
const maxCauses = 1000

func invalid(t Target, name string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	if more := len(errs) - maxCauses; more > 0 {
		errs = append(errs[:maxCauses:maxCauses], field.Invalid(nil, field.OmitValueType{}, fmt.Sprintf("and %d more errors", more)))
	}
	return apierrors.NewInvalid(t.Kind.GroupVersionKind.GroupKind(), name, errs)
}

// invalidOptions is for a request whose options are wrong; kind names their type.
func invalidOptions(kind string, errs field.ErrorList) error {
	if len(errs) == 0 {
		return nil
	}
	return apierrors.NewInvalid(schema.GroupKind{Group: metav1.GroupName, Kind: kind}, "", errs)
}

// parseRevision reads a resourceVersion; empty is 0.
func parseRevision(s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	revision, err := strconv.ParseInt(s, 10, 64)
	if err != nil || revision < 0 {
		return 0, apierrors.NewBadRequest(fmt.Sprintf("Invalid value: %q: resourceVersion must be a whole number", s))
	}
	return revision, nil
}
