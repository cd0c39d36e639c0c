package rest

import (
	"bytes"

	"leme/server/store"
)

const partialHead = `{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":`

// appendPartial appends an object's metadata alone.
func appendPartial(dst []byte, it *store.Item) []byte {
	dst = append(dst, partialHead...)
	dst = append(dst, metadataOf(it.JSON)...)
	return append(dst, '}')
}

var metadataKey = []byte(`"metadata":`)

// metadataOf cuts the metadata out of an object's JSON, where it is the first field after kind and apiVersion.
func metadataOf(raw []byte) []byte {
	start := bytes.Index(raw, metadataKey)
	if start < 0 {
		return []byte("{}")
	}
	raw = raw[start+len(metadataKey):]
	return raw[:objectEnd(raw)]
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
func typeOf(it *store.Item) (apiVersion, kind string) {
	return fieldAt(it.JSON, `"apiVersion":"`), fieldAt(it.JSON, `"kind":"`)
}

func fieldAt(raw []byte, key string) string {
	start := bytes.Index(raw, []byte(key))
	if start < 0 {
		return ""
	}
	raw = raw[start+len(key):]
	return string(raw[:bytes.IndexByte(raw, '"')])
}
