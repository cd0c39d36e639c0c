package rest

import (
	"bytes"
	"fmt"

	"leme/server/store"
)

const partialHead = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":`

// appendPartial appends an object's metadata alone.
func appendPartial(dst []byte, it *store.Item) []byte {
	raw, err := it.Memo("metadata", metadataOf)
	if err != nil {
		raw = []byte("{}")
	}
	dst = append(dst, partialHead...)
	dst = append(dst, raw...)
	return append(dst, '}')
}

var metadataKey = []byte(`"metadata":`)

// metadataOf is where the metadata stands in an object's JSON: it is the first field after kind and apiVersion.
func metadataOf(it *store.Item) ([]byte, error) {
	start := bytes.Index(it.JSON, metadataKey)
	if start < 0 {
		return nil, fmt.Errorf("%s has no metadata", it.Key)
	}
	raw := it.JSON[start+len(metadataKey):]
	end := objectEnd(raw)
	return raw[:end:end], nil
}

// objectEnd is how long the JSON object is that raw, which is valid, starts with.
func objectEnd(raw []byte) int {
	depth := 0
	for i := 0; i < len(raw); i++ {
		switch raw[i] {
		case '"':
			i = stringEnd(raw, i)
		case '{':
			depth++
		case '}':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return len(raw)
}

// stringEnd is where the quote is that ends the string that starts at i.
func stringEnd(raw []byte, i int) int {
	for {
		n := bytes.IndexByte(raw[i+1:], '"')
		if n < 0 {
			return len(raw)
		}
		i += n + 1
		escapes := 0
		for raw[i-1-escapes] == '\\' {
			escapes++
		}
		if escapes%2 == 0 {
			return i
		}
	}
}

// typeOf is an item's apiVersion and kind, as its JSON begins with them: {"kind":"Pod","apiVersion":"v1",….
func typeOf(it *store.Item) (apiVersion, kind []byte) {
	return fieldAt(it.JSON, `"apiVersion":"`), fieldAt(it.JSON, `"kind":"`)
}

func fieldAt(raw []byte, key string) []byte {
	start := bytes.Index(raw, []byte(key))
	if start < 0 {
		return nil
	}
	raw = raw[start+len(key):]
	return raw[:bytes.IndexByte(raw, '"')]
}
