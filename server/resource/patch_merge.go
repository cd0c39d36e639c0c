package resource

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	jsonpatch "github.com/evanphx/json-patch/v5"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/mergepatch"
	"k8s.io/apimachinery/pkg/util/strategicpatch"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"leme/server/store"
)

// maxOperations is how many operations a JSON patch may have, maxCopied how many bytes its copies may add.
const (
	maxOperations = 10_000
	maxCopied     = MaxBody
)

// operation is one step of a JSON patch (RFC 6902), to find fields that it should not have.
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	From  string `json:"from"`
	Value any    `json:"value"`
}

func (p *patch) jsonPatch(data []byte) (merge, error) {
	if err := p.check(data, new([]operation), "json patch "); err != nil {
		return nil, err
	}
	operations, err := jsonpatch.DecodePatch(data)
	if err != nil {
		return nil, apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	if len(operations) > maxOperations {
		return nil, apierrors.NewRequestEntityTooLargeError(
			fmt.Sprintf("The allowed maximum operations in a JSON patch is %d, got %d", maxOperations, len(operations)))
	}
	for _, o := range operations {
		needNoValue(o)
	}
	options := jsonpatch.NewApplyOptions()
	options.AccumulatedCopySizeLimit = maxCopied
	return func(current *store.Item) (runtime.Object, []error, error) {
		patched, err := operations.ApplyWithOptions(current.JSON, options)
		if err != nil {
			return nil, nil, unprocessable(err)
		}
		return p.decode(patched)
	}, nil
}

// needNoValue gives an operation that leaves its value out the null that it stands for; the library would look for it in
// vain.
func needNoValue(o jsonpatch.Operation) {
	if _, given := o["value"]; !given {
		null := json.RawMessage("null")
		o["value"] = &null
	}
}

func (p *patch) mergePatch(data []byte) (merge, error) {
	if err := p.check(data, new(map[string]any), ""); err != nil {
		return nil, err
	}
	return func(current *store.Item) (runtime.Object, []error, error) {
		patched, err := jsonpatch.MergePatch(current.JSON, data)
		if err != nil {
			return nil, nil, apierrors.NewBadRequest(err.Error())
		}
		return p.decode(patched)
	}, nil
}

func (p *patch) strategicPatch(data []byte) (merge, error) {
	schema, err := strategicpatch.NewPatchMetaFromStruct(p.form.new())
	if err != nil {
		return nil, unsupportedMediaType(PatchTypes...)
	}
	if err := p.check(data, new(map[string]any), ""); err != nil {
		return nil, err
	}
	return func(current *store.Item) (runtime.Object, []error, error) {
		var change, original map[string]any // both are used up
		if _, err := decodeJSON(data, &change, metav1.FieldValidationIgnore); err != nil {
			return nil, nil, err
		}
		if _, err := decodeJSON(current.JSON, &original, metav1.FieldValidationIgnore); err != nil {
			return nil, nil, err
		}
		patched, err := strategicpatch.StrategicMergeMapPatchUsingLookupPatchMeta(original, change, schema)
		if err != nil {
			return nil, nil, strategicError(err)
		}
		obj := p.form.new()
		strict := p.validation != metav1.FieldValidationIgnore
		err = runtime.DefaultUnstructuredConverter.FromUnstructuredWithValidation(patched, obj, strict)
		if unknown, ok := runtime.AsStrictDecodingError(err); ok {
			return obj, unknown.Errors(), nil
		}
		if err != nil {
			return nil, nil, badPatch(quoted(data), err)
		}
		return obj, nil, nil
	}, nil
}

// check reads a patch for what is wrong with it whatever it is applied to.
func (p *patch) check(data []byte, into any, prefix string) error {
	unknown, err := decodeJSON(data, into, p.validation)
	if err != nil {
		return apierrors.NewBadRequest(fmt.Sprintf("error decoding patch: %v", err))
	}
	warnings, err := judge(unknown, p.validation)
	if err != nil {
		return badPatch(quoted(data), err)
	}
	for _, w := range warnings {
		p.warnings = append(p.warnings, prefix+w)
	}
	return nil
}

// decode reads a patched object.
func (p *patch) decode(raw []byte) (runtime.Object, []error, error) {
	obj := p.form.new()
	unknown, err := decodeJSON(raw, obj, p.validation)
	if err != nil {
		return nil, nil, badPatch(quoted(raw), err)
	}
	return obj, unknown, nil
}

// maxQuoted bounds how much of a bad patch its error repeats, in bytes.
const maxQuoted = 1024

func quoted(patch []byte) string {
	if len(patch) > maxQuoted {
		return string(patch[:maxQuoted]) + "…"
	}
	return string(patch)
}

// badPatch is a 422 that points at the patch, or at what is quoted of it.
func badPatch(value any, err error) error {
	return apierrors.NewInvalid(schema.GroupKind{}, "", field.ErrorList{field.Invalid(field.NewPath("patch"), value, err.Error())})
}

// unprocessable is a 422 that says what is wrong.
func unprocessable(err error) error {
	status := apierrors.NewGenericServerResponse(http.StatusUnprocessableEntity, "", schema.GroupResource{}, "", "", 0, false)
	status.ErrStatus.Message = err.Error()
	return status
}

// strategicError tells a patch that makes no sense from one that does not fit the object.
func strategicError(err error) error {
	if errors.Is(err, mergepatch.ErrNoListOfLists) || errors.Is(err, mergepatch.ErrPatchContentNotMatchRetainKeys) {
		return unprocessable(err)
	}
	return apierrors.NewBadRequest(err.Error())
}
