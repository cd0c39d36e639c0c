package rest

import (
	"encoding/binary"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"

	"leme/server/resource"
	"leme/server/store"
)

// framer writes a watch's events as frames in the form agreed on. In JSON a frame is a line around the item's own
// bytes, so there is nothing to make for it; tables and protobuf come from what is kept with the item.
type framer struct {
	format format
	// object appends what a JSON frame shows of an event.
	object func(dst []byte, e store.Event) ([]byte, error)
}

func (h *Handler) newFramer(c *call) (*framer, error) {
	f := &framer{format: c.accept.format}
	switch c.accept.form {
	case formPartial:
		f.object = func(dst []byte, e store.Event) ([]byte, error) { return appendPartial(dst, e.Item), nil }
	case formTable:
		include, err := c.included()
		if err != nil {
			return nil, err
		}
		t := &tableFrames{printer: printer{table: h.tables.of(c.kind, ""), include: include}}
		t.columns = t.table.columns
		f.object = t.object
	default:
		f.object = func(dst []byte, e store.Event) ([]byte, error) { return append(dst, e.Item.JSON...), nil }
	}
	return f, nil
}

// append appends an event's frame, or nothing when it cannot be made.
func (f *framer) append(dst []byte, e store.Event) ([]byte, error) {
	if f.format == formatProtobuf {
		return f.appendProtobuf(dst, e)
	}
	start := len(dst)
	dst = append(dst, `{"type":"`...)
	dst = append(dst, e.Type...)
	dst = append(dst, `","object":`...)
	dst, err := f.object(dst, e)
	if err != nil {
		return dst[:start], err
	}
	return append(dst, "}\n"...), nil
}

// appendProtobuf appends four bytes of length and a message WatchEvent: field 1 is the type, field 2 a RawExtension
// whose field 1 is the object in its envelope.
func (f *framer) appendProtobuf(dst []byte, e store.Event) ([]byte, error) {
	raw, err := protobufOf(e.Item)
	if err != nil {
		return dst, err
	}
	apiVersion, kind := typeOf(e.Item)
	return appendWatchEvent(dst, string(e.Type), apiVersion, kind, raw), nil
}

func appendWatchEvent[S ~string | ~[]byte](dst []byte, event string, apiVersion, kind S, message []byte) []byte {
	var scratch [128]byte
	head := appendEnvelopeHead(scratch[:0], apiVersion, kind, len(message))
	object := len(head) + len(message)
	extension := fieldSize(object)
	dst = binary.BigEndian.AppendUint32(dst, uint32(fieldSize(len(event))+fieldSize(extension)))
	dst = append(dst, tag1)
	dst = binary.AppendUvarint(dst, uint64(len(event)))
	dst = append(dst, event...)
	dst = append(dst, tag2)
	dst = binary.AppendUvarint(dst, uint64(extension))
	dst = append(dst, tag1)
	dst = binary.AppendUvarint(dst, uint64(object))
	dst = append(dst, head...)
	return append(dst, message...)
}

// appendError appends the ERROR frame that ends a watch.
func (f *framer) appendError(dst []byte, status *metav1.Status) ([]byte, error) {
	if f.format == formatProtobuf {
		raw, err := status.Marshal()
		if err != nil {
			return dst, err
		}
		return appendWatchEvent(dst, string(watch.Error), status.APIVersion, status.Kind, raw), nil
	}
	raw, err := json.Marshal(status)
	if err != nil {
		return dst, err
	}
	dst = append(dst, `{"type":"ERROR","object":`...)
	dst = append(dst, raw...)
	return append(dst, "}\n"...), nil
}

// tableFrames are tables of one row each, the columns in the first one only.
type tableFrames struct {
	printer
	columns []byte
}

func (t *tableFrames) object(dst []byte, e store.Event) ([]byte, error) {
	t.now = time.Now()
	dst = t.appendHead(dst, &resource.List{Revision: e.Item.Revision}, t.columns)
	var err error
	if e.Type != watch.Bookmark {
		if dst, err = t.appendRow(dst, e.Item); err != nil {
			return dst, err
		}
		t.columns = []byte("null")
	}
	return append(dst, "]}"...), nil
}
