package kind

import (
	networkingv1 "k8s.io/api/networking/v1"
	apivalidation "k8s.io/apimachinery/pkg/api/validation"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// IngressClass names a controller that carries out ingresses.
var IngressClass = &Kind{
	GroupVersionKind: networking("IngressClass"),
	Resource:         "ingressclasses",
	Singular:         "ingressclass",
	New:              makes[networkingv1.IngressClass](),
	NewList:          makes[networkingv1.IngressClassList](),

	Default: changes(func(c *networkingv1.IngressClass) {
		if c.Spec.Parameters != nil {
			setDefault(&c.Spec.Parameters.Scope, networkingv1.IngressClassParametersReferenceScopeCluster)
		}
	}),
	PrepareCreate: starting[*networkingv1.IngressClass](),
	PrepareUpdate: counting(func(c *networkingv1.IngressClass) *networkingv1.IngressClassSpec { return &c.Spec }),

	Validate:       validates(validateIngressClass),
	ValidateUpdate: validatesOver(validateIngressClassUpdate),

	Columns: []metav1.TableColumnDefinition{
		nameColumn,
		column("Controller", "string", "Controller that is responsible for handling this class"),
		column("Parameters", "string", "A reference to a resource with additional parameters"),
		ageColumn,
	},
	Row: prints(func(c *networkingv1.IngressClass) []any {
		name := c.Name
		if DefaultIngressClass(c) {
			name += " (default)"
		}
		return []any{name, c.Spec.Controller, classParametersText(c.Spec.Parameters), age(c)}
	}),
}

// DefaultIngressClass tells whether a class is that of ingresses that name none.
func DefaultIngressClass(c *networkingv1.IngressClass) bool {
	return c.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true"
}

func classParametersText(p *networkingv1.IngressClassParametersReference) string {
	if p == nil {
		return none
	}
	text := p.Kind
	if p.APIGroup != nil {
		text += "." + *p.APIGroup
	}
	return text + "/" + p.Name
}

// maxControllerName is how long the name of an ingress class's controller may be.
const maxControllerName = 250

func validateIngressClass(c *networkingv1.IngressClass) field.ErrorList {
	var errs field.ErrorList
	path := field.NewPath("spec")
	if at := path.Child("controller"); len(c.Spec.Controller) > maxControllerName {
		errs = append(errs, field.TooLong(at, "", maxControllerName))
	}
	errs = append(errs, validation.IsDomainPrefixedPath(path.Child("controller"), c.Spec.Controller)...)
	if p := c.Spec.Parameters; p != nil {
		errs = append(errs, validateGroupReference(p.APIGroup, p.Kind, p.Name, path.Child("parameters"))...)
		errs = append(errs, validateParametersScope(p, path.Child("parameters"))...)
	}
	return errs
}

// validateParametersScope checks that parameters in a namespace name one, and others none.
func validateParametersScope(p *networkingv1.IngressClassParametersReference, path *field.Path) field.ErrorList {
	const cluster, namespace = networkingv1.IngressClassParametersReferenceScopeCluster, networkingv1.IngressClassParametersReferenceScopeNamespace
	at := path.Child("namespace")
	if p.Scope == nil {
		return field.ErrorList{field.Required(path.Child("scope"), "")}
	}
	switch scope := *p.Scope; {
	case scope == namespace && p.Namespace == nil:
		return field.ErrorList{field.Required(at, "`parameters.scope` is set to 'Namespace'")}
	case scope == namespace:
		return invalid(at, *p.Namespace, apivalidation.ValidateNamespaceName(*p.Namespace, false))
	case scope == cluster && p.Namespace != nil:
		return field.ErrorList{field.Forbidden(at, "`parameters.scope` is set to 'Cluster'")}
	}
	return maybeOneOf(path.Child("scope"), p.Scope, cluster, namespace)
}

func validateIngressClassUpdate(updated, old *networkingv1.IngressClass) field.ErrorList {
	return apivalidation.ValidateImmutableField(updated.Spec.Controller, old.Spec.Controller, field.NewPath("spec", "controller"))
}
