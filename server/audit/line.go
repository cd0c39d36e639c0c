package audit

import (
	"bytes"
	"encoding/json"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"
)

// line is an entry as it stands in the log.
func (e *Entry) line() ([]byte, error) {
	event := e.Event
	event.Kind, event.APIVersion = "Event", "audit.k8s.io/v1"
	event.RequestObject = e.object(e.Request)
	event.ResponseObject = e.object(e.Response)
	raw, err := json.Marshal(&event)
	return append(raw, '\n'), err
}

// object is a body; nil where there is none, or none that could be read.
func (e *Entry) object(body []byte) *runtime.Unknown {
	if len(body) == 0 {
		return nil
	}
	if !json.Valid(body) {
		converted, err := yaml.YAMLToJSON(body)
		if err != nil {
			return nil
		}
		body = converted
	}
	if e.OmitManagedFields {
		body = withoutManagedFields(body)
	}
	return &runtime.Unknown{Raw: body, ContentType: runtime.ContentTypeJSON}
}

// withoutManagedFields takes metadata.managedFields out of an object, and out of the items of a list.
func withoutManagedFields(body []byte) []byte {
	if !bytes.Contains(body, []byte(`"managedFields"`)) {
		return body
	}
	var object map[string]json.RawMessage
	if json.Unmarshal(body, &object) != nil {
		return body // a list of JSON patch operations
	}
	strip(object)
	var items []map[string]json.RawMessage
	if json.Unmarshal(object["items"], &items) == nil && len(items) > 0 {
		for _, item := range items {
			strip(item)
		}
		object["items"] = encoded(items)
	}
	return encoded(object)
}

func strip(object map[string]json.RawMessage) {
	var metadata map[string]json.RawMessage
	if json.Unmarshal(object["metadata"], &metadata) != nil {
		return
	}
	if _, ok := metadata["managedFields"]; ok {
		delete(metadata, "managedFields")
		object["metadata"] = encoded(metadata)
	}
}

// encoded writes what was read as JSON.
func encoded(v any) json.RawMessage {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // raw messages that were valid
	}
	return raw
}
