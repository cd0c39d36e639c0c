package resource

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/rand"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// A generated name is its prefix, cut so that the whole fits a DNS label, and a random suffix.
const (
	maxGeneratedName = 63
	suffixLength     = 5
	generateAttempts = 8
)

// generateName gives a name that free does not refuse, if it finds one in a few attempts.
func generateName(prefix string, free func(name string) bool) string {
	prefix = prefix[:min(len(prefix), maxGeneratedName-suffixLength)]
	name := prefix + rand.String(suffixLength)
	for range generateAttempts {
		if free(name) {
			break
		}
		name = prefix + rand.String(suffixLength)
	}
	return name
}

// startMeta gives a new object what only the server gives, whatever the request says.
func startMeta(m metav1.Object) {
	m.SetUID(uuid.NewUUID())
	m.SetCreationTimestamp(metav1.Now().Rfc3339Copy())
	m.SetDeletionTimestamp(nil)
	m.SetDeletionGracePeriodSeconds(nil)
	m.SetSelfLink("")
	m.SetGeneration(0)
}

// keepMeta keeps what no update changes.
func keepMeta(m, old metav1.Object) {
	m.SetGeneration(old.GetGeneration())
	m.SetSelfLink("")
	if m.GetUID() == "" {
		m.SetUID(old.GetUID())
	}
	if created := old.GetCreationTimestamp(); !created.IsZero() {
		m.SetCreationTimestamp(created)
	}
	if deleted := old.GetDeletionTimestamp(); deleted != nil {
		m.SetDeletionTimestamp(deleted)
	}
	if grace := old.GetDeletionGracePeriodSeconds(); grace != nil && m.GetDeletionGracePeriodSeconds() == nil {
		m.SetDeletionGracePeriodSeconds(grace)
	}
}

// place puts an object into the namespace that the request names.
func place(t Target, m metav1.Object) error {
	switch namespace := m.GetNamespace(); {
	case namespace == t.Namespace:
	case namespace == "", t.Namespace == "":
		m.SetNamespace(t.Namespace)
	default:
		return apierrors.NewBadRequest("the namespace of the provided object does not match the namespace sent on the request")
	}
	return nil
}

// checkName refuses an object whose name is not the one in the request's path.
func checkName(t Target, m metav1.Object) error {
	switch m.GetName() {
	case t.Name:
		return nil
	case "":
		return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s based on URL) was undeterminable: name must be provided", t.Name))
	}
	return apierrors.NewBadRequest(fmt.Sprintf("the name of the object (%s) does not match the name on the URL (%s)", m.GetName(), t.Name))
}

var metadataPath = field.NewPath("metadata")

func validateMeta(t Target, m metav1.Object) field.ErrorList {
	validateName := t.Kind.ValidateName
	if validateName == nil {
		validateName = apivalidation.NameIsDNSSubdomain
	}
	return apivalidation.ValidateObjectMetaAccessor(m, t.Kind.Namespaced, validateName, metadataPath)
}

func validateMetaUpdate(m, old metav1.Object) field.ErrorList {
	errs := apivalidation.ValidateObjectMetaAccessorUpdate(m, old, metadataPath)
	return append(errs, apivalidation.ValidateFinalizers(m.GetFinalizers(), metadataPath.Child("finalizers"))...)
}

// mergeOwners removes owners that are named twice, and says so.
func mergeOwners(ctx context.Context, m metav1.Object) {
	owners := m.GetOwnerReferences()
	if len(owners) < 2 {
		return
	}
	seen := make(map[types.UID]bool, len(owners))
	kept := make([]metav1.OwnerReference, 0, len(owners))
	for _, owner := range owners {
		if seen[owner.UID] {
			warn(ctx, fmt.Sprintf(".metadata.ownerReferences contains duplicate entries; only the first with UID %s is kept", owner.UID))
			continue
		}
		seen[owner.UID] = true
		kept = append(kept, owner)
	}
	if len(kept) < len(owners) {
		m.SetOwnerReferences(kept)
	}
}
