package resource

import (
	"errors"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"

	"leme/server/store"
)

// applying returns the change that server-side apply makes: the fields of the configuration are set and owned by its
// manager, fields that it owned before and does not name any more go. Fields of other managers are conflicts, unless
// forced.
func (a *API) applying(p *patch, data []byte, o metav1.PatchOptions) (func(*store.Item) (runtime.Object, error), error) {
	config := map[string]any{}
	if err := yaml.Unmarshal(data, &config); err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding YAML: %v", err))
	}
	if err := p.checkConfig(data, config); err != nil {
		return nil, err
	}
	fields, err := a.owner.of(p.target)
	if err != nil {
		return nil, err
	}
	return func(current *store.Item) (runtime.Object, error) {
		live := p.form.empty()
		if current != nil {
			shared, err := current.Object()
			if err != nil {
				return nil, err
			}
			live = shared.DeepCopyObject()
		}
		wanted := &unstructured.Unstructured{Object: runtime.DeepCopyJSON(config)}
		merged, err := fields.Apply(live, wanted, o.FieldManager, o.Force != nil && *o.Force)
		var status *apierrors.StatusError
		if err != nil && !errors.As(err, &status) {
			return nil, apierrors.NewBadRequest(err.Error())
		}
		return merged, err
	}, nil
}

// checkConfig looks at a configuration's type, and for fields that it names twice. Unknown ones are found when it is
// merged.
func (p *patch) checkConfig(data []byte, config map[string]any) error {
	wanted := &unstructured.Unstructured{Object: config}
	if wanted.GetAPIVersion() == "" || wanted.GetKind() == "" {
		return apierrors.NewBadRequest("an apply configuration must name its apiVersion and kind")
	}
	if err := checkType(p.form.gvk, wanted); err != nil {
		return err
	}
	if p.validation == metav1.FieldValidationIgnore {
		return nil
	}
	err := yaml.UnmarshalStrict(data, &map[string]any{})
	switch {
	case err == nil:
	case p.validation == metav1.FieldValidationStrict:
		return apierrors.NewBadRequest(fmt.Sprintf("error strict decoding YAML: %v", err))
	default:
		p.warnings = append(p.warnings, err.Error())
	}
	return nil
}
