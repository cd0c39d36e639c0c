package rest

import (
	"encoding/binary"
	"fmt"

	"leme/server/resource"
	"leme/server/store"
)

// Kubernetes' protobuf: a magic number, then a message runtime.Unknown that says what the object is and holds it.
// Lists are all alike: field 1 is the ListMeta, field 2 the items. So a list can be put together from its items' bytes.
var magic = []byte("k8s\x00")

// Tags of length-delimited fields.
const (
	tag1 = 1<<3 | 2
	tag2 = 2<<3 | 2
)

type marshaler interface{ Marshal() ([]byte, error) }

// protobufOf is an item's message, made once a revision.
func protobufOf(it *store.Item) ([]byte, error) {
	return it.Memo("protobuf", marshal)
}

func marshal(it *store.Item) ([]byte, error) {
	obj, err := it.Object()
	if err != nil {
		return nil, err
	}
	message, ok := obj.(marshaler)
	if !ok {
		return nil, notAcceptable("application/json, application/yaml")
	}
	raw, err := message.Marshal()
	if err != nil {
		return nil, fmt.Errorf("encoding %s as protobuf: %w", it.Key, err)
	}
	return raw, nil
}

// appendEnvelope appends the magic number and the Unknown around an object's message.
func appendEnvelope[S ~string | ~[]byte](dst []byte, apiVersion, kind S, message []byte) []byte {
	dst = appendEnvelopeHead(dst, apiVersion, kind, len(message))
	return append(dst, message...)
}

// appendEnvelopeHead appends everything that stands before the message.
func appendEnvelopeHead[S ~string | ~[]byte](dst []byte, apiVersion, kind S, size int) []byte {
	dst = append(dst, magic...)
	dst = append(dst, tag1)
	dst = binary.AppendUvarint(dst, uint64(fieldSize(len(apiVersion))+fieldSize(len(kind))))
	dst = appendField(dst, tag1, apiVersion)
	dst = appendField(dst, tag2, kind)
	dst = append(dst, tag2)
	return binary.AppendUvarint(dst, uint64(size))
}

func appendField[S ~string | ~[]byte](dst []byte, tag byte, value S) []byte {
	dst = append(dst, tag)
	dst = binary.AppendUvarint(dst, uint64(len(value)))
	return append(dst, value...)
}

// fieldSize is how long a field is with its tag and its length.
func fieldSize(size int) int {
	n := 2 + size
	for v := size; v >= 0x80; v >>= 7 {
		n++
	}
	return n
}

func (c *call) writeProtobufList(code int, list *resource.List) error {
	meta := listMeta(list)
	head, err := meta.Marshal()
	if err != nil {
		return err
	}
	size := fieldSize(len(head))
	for _, it := range list.Items {
		raw, err := protobufOf(it)
		if err != nil {
			return err
		}
		size += fieldSize(len(raw))
	}
	apiVersion, kind := c.kind.GroupVersionKind.ToAPIVersionAndKind()
	begin := appendField(appendEnvelopeHead(nil, apiVersion, kind+"List", size), tag1, head)
	if c.compress(size) {
		c.writePacked(code, spliced{
			shown: "protobuf " + c.kind.GroupVersionKind.String(), head: begin, items: list.Items, item: appendProtobufItem,
		})
		return nil
	}
	out := c.start(code, size)
	defer out.close()
	out.buf = append(out.buf, begin...)
	for _, it := range list.Items {
		raw, err := protobufOf(it)
		if err != nil {
			return err
		}
		out.buf = appendField(out.buf, tag2, raw)
		if !out.spill() {
			break
		}
	}
	return nil
}

// appendProtobufItem appends a list's item, which has been encoded before.
func appendProtobufItem(dst []byte, it *store.Item) []byte {
	raw, err := protobufOf(it)
	if err != nil {
		return dst
	}
	return appendField(dst, tag2, raw)
}
