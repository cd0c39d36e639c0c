package kind

import (
	"bytes"
	"encoding/json"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// ControllerRevision keeps one state of a workload, to which it can be brought back.
var ControllerRevision = &Kind{
	GroupVersionKind: apps("ControllerRevision"),
	Resource:         "controllerrevisions",
	Singular:         "controllerrevision",
	Namespaced:       true,
	New:              makes[appsv1.ControllerRevision](),
	NewList:          makes[appsv1.ControllerRevisionList](),

	Validate:       validates(validateControllerRevision),
	ValidateUpdate: validatesOver(validateControllerRevisionUpdate),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Controller", "string", "Controller of the object"),
		column("Revision", "string", appsv1.ControllerRevision{}.SwaggerDoc()["revision"]),
		ageColumn,
	},
	Row: prints(func(r *appsv1.ControllerRevision) []any {
		return []any{r.Name, or(controllerOf(r), none), r.Revision, age(r)}
	}),
}

// controllerOf is an object's controller in words: statefulset.apps/web.
func controllerOf(obj metav1.Object) string {
	owner := metav1.GetControllerOfNoCopy(obj)
	if owner == nil {
		return ""
	}
	gk := schema.FromAPIVersionAndKind(owner.APIVersion, owner.Kind).GroupKind()
	return strings.ToLower(gk.String()) + "/" + owner.Name
}

func validateControllerRevision(r *appsv1.ControllerRevision) field.ErrorList {
	var errs field.ErrorList
	if len(r.Data.Raw) == 0 && r.Data.Object == nil {
		errs = append(errs, field.Required(field.NewPath("data"), "data is mandatory"))
	}
	return append(errs, nonNegative(field.NewPath("revision"), &r.Revision)...)
}

func validateControllerRevisionUpdate(updated, old *appsv1.ControllerRevision) field.ErrorList {
	return apivalidation.ValidateImmutableField(compacted(updated.Data), compacted(old.Data), field.NewPath("data"))
}

// compacted is JSON as it is stored: it is the same whatever its spaces.
func compacted(data runtime.RawExtension) string {
	var b bytes.Buffer
	if err := json.Compact(&b, data.Raw); err != nil {
		return string(data.Raw)
	}
	return b.String()
}
