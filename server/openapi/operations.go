package openapi

import (
	"net/http"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/kube-openapi/pkg/validation/spec"

	"leme/server/kind"
)

var (
	mediaTypes      = []string{"application/json", "application/yaml", "application/vnd.kubernetes.protobuf"}
	watchMediaTypes = append(slices.Clone(mediaTypes), "application/json;stream=watch", "application/vnd.kubernetes.protobuf;stream=watch")
	textMediaTypes  = append([]string{"text/plain"}, mediaTypes...)
	patchMediaTypes = []string{
		string(types.JSONPatchType), string(types.MergePatchType),
		string(types.StrategicMergePatchType), string(types.ApplyYAMLPatchType),
	}
)

// operation is one verb on one path.
type operation struct {
	verb        string // of the operation's id: "read"
	action      string // of x-kubernetes-action: "get"
	method      string // of a connection's id: "Get"
	description string
	parameters  []spec.Parameter
	consumes    []string
	produces    []string
	responses   map[int]reflect.Type
}

// target is what the operations of a path act on.
type target struct {
	queries *queries
	kind    *kind.Kind
	gvk     schema.GroupVersionKind // what they exchange: the kind itself, or Scale
	object  reflect.Type
	suffix  string // of the operations' ids: "NamespacedPodStatus"
	part    string // of the descriptions: "status of "
}

func (t target) list() *spec.Operation {
	return t.operation(operation{
		verb: "list", action: "list", description: "list or watch objects of kind " + t.kind.Kind,
		parameters: t.queries.list, produces: watchMediaTypes,
		responses: map[int]reflect.Type{http.StatusOK: objectType(t.kind.NewList())},
	})
}

func (t target) create() *spec.Operation {
	return t.operation(operation{
		verb: "create", action: "post", description: "create " + t.part + "a " + t.kind.Kind,
		parameters: withBody(t.queries.create, t.object, true),
		responses:  t.answers(http.StatusOK, http.StatusCreated, http.StatusAccepted),
	})
}

func (t target) read() *spec.Operation {
	return t.operation(operation{
		verb: "read", action: "get", description: "read " + t.part + "the specified " + t.kind.Kind,
		responses: t.answers(http.StatusOK),
	})
}

func (t target) replace() *spec.Operation {
	return t.operation(operation{
		verb: "replace", action: "put", description: "replace " + t.part + "the specified " + t.kind.Kind,
		parameters: withBody(t.queries.update, t.object, true),
		responses:  t.answers(http.StatusOK, http.StatusCreated),
	})
}

func (t target) patch() *spec.Operation {
	return t.operation(operation{
		verb: "patch", action: "patch", description: "partially update " + t.part + "the specified " + t.kind.Kind,
		parameters: withBody(t.queries.patch, patchType, true),
		consumes:   patchMediaTypes,
		responses:  t.answers(http.StatusOK, http.StatusCreated),
	})
}

// readText is reading what is no object.
func (t target) readText() *spec.Operation {
	return t.operation(operation{
		verb: "read", action: "get", description: "read " + t.part + "the specified " + t.kind.Kind,
		produces: textMediaTypes, responses: map[int]reflect.Type{http.StatusOK: textType},
	})
}

// connect is a method of a connection; what goes over it is not described.
func (t target) connect(method string) *spec.Operation {
	return t.operation(operation{
		verb: "connect", action: "connect", description: "connect " + method + " requests to " + t.part + t.kind.Kind,
		method: title(strings.ToLower(method)), produces: []string{"*/*"}, responses: map[int]reflect.Type{http.StatusOK: textType},
	})
}

func (t target) remove() *spec.Operation {
	answer := statusType
	if t.kind.GraceSeconds != nil {
		answer = t.object // it is still there while its agent stops it
	}
	return t.operation(operation{
		verb: "delete", action: "delete", description: "delete a " + t.kind.Kind,
		parameters: withBody(t.queries.remove, deleteOptionsType, false),
		responses:  map[int]reflect.Type{http.StatusOK: answer, http.StatusAccepted: answer},
	})
}

func (t target) removeAll() *spec.Operation {
	return t.operation(operation{
		verb: "delete", action: "deletecollection", description: "delete collection of " + t.kind.Kind,
		parameters: withBody(t.queries.removeAll(), deleteOptionsType, false),
		responses:  map[int]reflect.Type{http.StatusOK: statusType},
	})
}

func withBody(parameters []spec.Parameter, body reflect.Type, required bool) []spec.Parameter {
	return append([]spec.Parameter{bodyParameter(body, required)}, parameters...)
}

func (t target) answers(codes ...int) map[int]reflect.Type {
	responses := map[int]reflect.Type{}
	for _, code := range codes {
		responses[code] = t.object
	}
	return responses
}

func (t target) operation(o operation) *spec.Operation {
	gv := t.kind.GroupVersion()
	id := o.verb + groupTitle(gv.Group) + title(gv.Version) + o.method
	if o.action == "deletecollection" {
		id += "Collection"
	}
	op := &spec.Operation{OperationProps: spec.OperationProps{
		ID:          id + t.suffix,
		Description: o.description,
		Tags:        []string{strings.ToLower(groupTitle(gv.Group)) + "_" + gv.Version},
		Schemes:     []string{"https"},
		Consumes:    orElse(o.consumes, []string{"*/*"}),
		Produces:    orElse(o.produces, mediaTypes),
		Parameters:  o.parameters,
		Responses:   responses(o.responses),
	}}
	op.AddExtension("x-kubernetes-action", o.action)
	op.AddExtension(gvkExtension, gvkObject(t.gvk))
	return op
}

func responses(bodies map[int]reflect.Type) *spec.Responses {
	all := map[int]spec.Response{http.StatusUnauthorized: response(http.StatusUnauthorized, nil)}
	for code, body := range bodies {
		all[code] = response(code, bodySchema(body))
	}
	return &spec.Responses{ResponsesProps: spec.ResponsesProps{StatusCodeResponses: all}}
}

// bodySchema is what an answer holds: text, or an object that is defined.
func bodySchema(body reflect.Type) *spec.Schema {
	if body == textType {
		return spec.StringProperty()
	}
	return refTo(body)
}

func response(code int, body *spec.Schema) spec.Response {
	return spec.Response{ResponseProps: spec.ResponseProps{Description: http.StatusText(code), Schema: body}}
}

func orElse(list, otherwise []string) []string {
	if len(list) == 0 {
		return otherwise
	}
	return list
}

// groupTitle is a group's first label, as operation ids have it: Core, Apps, Coordination.
func groupTitle(group string) string {
	first, _, _ := strings.Cut(group, ".")
	if first == "" {
		first = "core"
	}
	return title(first)
}

func title(word string) string { return strings.ToUpper(word[:1]) + word[1:] }
