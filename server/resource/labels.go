package resource

import (
	"encoding/binary"
	"maps"
	"slices"
	"unsafe"

	"leme/server/store"
)

// keptLabels are an object's labels as they are kept with its item, so that selectors need not decode it: names and
// values in the order of the names, each after its length. It is what labels.Selector looks at.
type keptLabels []byte

// labelsOf gives an item's labels.
func labelsOf(it *store.Item) (keptLabels, error) { return it.Keep("resource.labels", encodeLabels) }

func encodeLabels(it *store.Item) ([]byte, error) {
	obj, err := it.Object()
	if err != nil {
		return nil, err
	}
	set := metaOf(obj).GetLabels()
	var raw []byte
	for _, name := range slices.Sorted(maps.Keys(set)) {
		raw = appendText(appendText(raw, name), set[name])
	}
	return raw, nil
}

// Lookup implements labels.Labels. The value shares its bytes with the item, which never change: selecting from many
// items allocates nothing for each.
func (l *keptLabels) Lookup(label string) (value string, exists bool) {
	for rest := *l; len(rest) > 0; {
		var name, text []byte
		name, rest = cutText(rest)
		text, rest = cutText(rest)
		if string(name) == label {
			return unsafe.String(unsafe.SliceData(text), len(text)), true
		}
	}
	return "", false
}

// Has implements labels.Labels.
func (l *keptLabels) Has(label string) bool {
	_, exists := l.Lookup(label)
	return exists
}

// Get implements labels.Labels.
func (l *keptLabels) Get(label string) string {
	value, _ := l.Lookup(label)
	return value
}

// appendText appends a text after its length; cutText takes it off again.
func appendText(dst []byte, text string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(text))), text...)
}

func cutText(raw []byte) (text, rest []byte) {
	length, n := binary.Uvarint(raw)
	return raw[n:][:length], raw[n:][length:]
}
