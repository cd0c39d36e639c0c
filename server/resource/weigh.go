package resource

import (
	"fmt"
	"mime"

	"google.golang.org/protobuf/encoding/protowire"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
)

// A body of a few bytes an element can become a thousand times as large: each "{}" in a list of containers is a whole
// Container. So the elements are counted before anything is decoded. Objects that clusters really have stay far below:
// a large CustomResourceDefinition has some 20,000 members.
const (
	maxElements = 50_000  // of lists
	maxMembers  = 250_000 // of objects; of YAML and protobuf: whatever may be either

	elementSize = 1 << 10 // what an element may take in memory, in bytes
	memberSize  = 100
)

// Weigh says how much memory a body may take when it is decoded, in bytes. One that would take too much is a 413.
func Weigh(contentType string, body []byte) (int64, error) {
	media, _, _ := mime.ParseMediaType(contentType)
	var elements, members int
	switch {
	case media == runtime.ContentTypeProtobuf:
		elements, members = countProtobuf(body)
	case isJSON(body):
		elements, members = countJSON(body)
	default:
		members = countYAML(body)
	}
	if elements > maxElements || members > maxMembers {
		return 0, apierrors.NewRequestEntityTooLargeError(
			fmt.Sprintf("limit is %d list elements and %d fields", maxElements, maxMembers))
	}
	return int64(len(body) + elements*elementSize + members*memberSize), nil
}

// isJSON says whether a body begins as JSON objects and lists do. YAML that does is counted well enough.
func isJSON(body []byte) bool {
	for _, b := range body {
		switch b {
		case ' ', '\t', '\r', '\n':
		default:
			return b == '{' || b == '['
		}
	}
	return true
}

// countJSON counts without decoding: what is a comma in a list begins an element, a colon ends a member's name.
func countJSON(body []byte) (elements, members int) {
	var lists []bool // of what is open: whether it is a list
	for i := 0; i < len(body); i++ {
		switch body[i] {
		case '"':
			i = endOfString(body, i)
		case '[':
			lists = append(lists, true)
			elements++
		case '{':
			lists = append(lists, false)
			members++
		case ']', '}':
			if len(lists) > 0 {
				lists = lists[:len(lists)-1]
			}
		case ',':
			if len(lists) > 0 && lists[len(lists)-1] {
				elements++
			} else {
				members++
			}
		}
	}
	return elements, members
}

// endOfString is where the string that begins at i ends.
func endOfString(body []byte, i int) int {
	for i++; i < len(body); i++ {
		switch body[i] {
		case '\\':
			i++
		case '"':
			return i
		}
	}
	return i
}

// countYAML counts what may begin a node, lines of text among it.
func countYAML(body []byte) int {
	n := 0
	for i, b := range body {
		switch b {
		case ',', '[', '{', '\n':
			n++
		case '-', ':', '?':
			if i+1 < len(body) && (body[i+1] == ' ' || body[i+1] == '\t') {
				n++
			}
		}
	}
	return n
}

const (
	protobufMagic = 4 // bytes before the envelope
	tinyField     = 4 // bytes: of more, a message has some of its own
	deepest       = 100
)

// countProtobuf counts fields. What has a length may be a message or a string: where it reads as a message it is
// taken for one. Tiny ones count as elements: those are what a message can have without end.
func countProtobuf(body []byte) (elements, members int) {
	if len(body) < protobufMagic {
		return 0, 0
	}
	elements, members, _ = countFields(body[protobufMagic:], 0)
	return elements, members
}

// countFields is not ok for what is no message.
func countFields(message []byte, depth int) (elements, members int, ok bool) {
	for len(message) > 0 {
		_, sort, n := protowire.ConsumeTag(message)
		if n < 0 {
			return 0, 0, false
		}
		message = message[n:]
		members++
		if sort != protowire.BytesType {
			n = protowire.ConsumeFieldValue(1, sort, message)
			if n < 0 {
				return 0, 0, false
			}
			message = message[n:]
			continue
		}
		value, n := protowire.ConsumeBytes(message)
		if n < 0 {
			return 0, 0, false
		}
		message = message[n:]
		if len(value) < tinyField {
			elements++
			continue
		}
		if depth == deepest || elements > maxElements || members > maxMembers {
			continue
		}
		if e, m, ok := countFields(value, depth+1); ok {
			elements, members = elements+e, members+m
		}
	}
	return elements, members, true
}
