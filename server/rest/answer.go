package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"leme/server/resource"
	"leme/server/store"
)

// writeItem answers with one object.
func (c *call) writeItem(code int, it *store.Item) error {
	c.audit.response(it.JSON)
	switch {
	case c.accept.form == formTable:
		return c.writeTable(code, &resource.List{Items: []*store.Item{it}, Revision: it.Revision})
	case c.accept.form == formPartial:
		c.writeJSON(code, appendPartial(nil, it))
	case c.accept.format == formatProtobuf:
		raw, err := protobufOf(it)
		if err != nil {
			return err
		}
		apiVersion, kind := typeOf(it)
		out := c.start(code, len(raw))
		defer out.close()
		out.buf = appendEnvelope(out.buf, apiVersion, kind, raw)
	default:
		c.writeJSON(code, it.JSON)
	}
	return nil
}

// writeList answers with a list of the call's kind.
func (c *call) writeList(code int, list *resource.List) error {
	if c.audit.wantsResponse() {
		c.auditList(list)
	}
	switch {
	case c.accept.form == formTable:
		return c.writeTable(code, list)
	case c.accept.format == formatProtobuf:
		return c.writeProtobufList(code, list)
	case c.accept.direct():
		size := sizeOf(list.Items)
		if c.accept.form == formFull && c.compress(size) {
			c.writePacked(code, c.splicedJSON(list))
			return nil
		}
		out := c.start(code, size)
		defer out.close()
		c.spliceList(out, list)
	default:
		whole := &output{}
		c.spliceList(whole, list)
		c.writeJSON(code, whole.buf)
	}
	return nil
}

// auditList gives the audit log a whole list, in whatever form the client gets it.
func (c *call) auditList(list *resource.List) {
	form, whole := c.accept.form, &output{}
	c.accept.form = formFull
	c.spliceList(whole, list)
	c.accept.form = form
	c.audit.response(whole.buf)
}

// spliceList puts a list together from the stored bytes of its items.
func (c *call) spliceList(out *output, list *resource.List) {
	out.buf = append(out.buf, c.listHead(list)...)
	for i, it := range list.Items {
		if i > 0 {
			out.buf = append(out.buf, ',')
		}
		if c.accept.form == formPartial {
			out.buf = appendPartial(out.buf, it)
		} else {
			out.buf = it.AppendUntyped(out.buf)
		}
		if out.w != nil && !out.spill() {
			return
		}
	}
	out.buf = append(out.buf, listTail...)
}

// splicedJSON is what spliceList makes of a list of whole objects.
func (c *call) splicedJSON(list *resource.List) spliced {
	return spliced{
		shown: "json " + c.kind.GroupVersionKind.String(), head: c.listHead(list), between: []byte(","), tail: []byte(listTail),
		items: list.Items, item: func(dst []byte, it *store.Item) []byte { return it.AppendUntyped(dst) },
	}
}

// listHead is everything before a list's first item, and listTail what comes after the last one.
func (c *call) listHead(list *resource.List) []byte {
	apiVersion, kind := c.kind.GroupVersionKind.ToAPIVersionAndKind()
	if c.accept.form == formPartial {
		apiVersion, kind = "meta.k8s.io/v1", "PartialObjectMetadata"
	}
	head := fmt.Appendf(nil, `{"kind":"%sList","apiVersion":%q,"metadata":`, kind, apiVersion)
	head = appendListMeta(head, list)
	return append(head, `,"items":[`...)
}

const listTail = "]}\n"

func listMeta(list *resource.List) metav1.ListMeta {
	return metav1.ListMeta{
		ResourceVersion: fmt.Sprint(list.Revision), Continue: list.Continue, RemainingItemCount: list.Remaining,
	}
}

// appendListMeta appends listMeta as JSON.
func appendListMeta(dst []byte, list *resource.List) []byte {
	dst = append(dst, `{"resourceVersion":"`...)
	dst = strconv.AppendInt(dst, list.Revision, 10)
	dst = append(dst, '"')
	if list.Continue != "" {
		dst = append(dst, `,"continue":`...)
		dst = strconv.AppendQuote(dst, list.Continue) // base64
	}
	if list.Remaining != nil {
		dst = append(dst, `,"remainingItemCount":`...)
		dst = strconv.AppendInt(dst, *list.Remaining, 10)
	}
	return append(dst, '}')
}

func sizeOf(items []*store.Item) int {
	size := 0
	for _, it := range items {
		size += len(it.JSON)
	}
	return size
}

// answer writes an object that is made for this answer alone: a Status, a review.
func (c *call) answer(code int, obj runtime.Object, gvk schema.GroupVersionKind) {
	if c.accept.format == "" || c.accept.form != formFull {
		c.accept.form, c.accept.format = formFull, formatJSON
		if a, ok := negotiate(c.r.Header.Get("Accept"), false); ok && a.form == formFull {
			c.accept.format = a.format
		}
	}
	obj.GetObjectKind().SetGroupVersionKind(gvk)
	if c.audit.wantsResponse() {
		if raw, err := json.Marshal(obj); err == nil {
			c.audit.response(raw)
		}
	}
	if message, ok := obj.(marshaler); ok && c.accept.format == formatProtobuf {
		if raw, err := message.Marshal(); err == nil {
			apiVersion, kind := gvk.ToAPIVersionAndKind()
			out := c.start(code, len(raw))
			defer out.close()
			out.buf = appendEnvelope(out.buf, apiVersion, kind, raw)
			return
		}
	}
	raw, err := json.Marshal(obj)
	if err != nil {
		http.Error(c.w, err.Error(), http.StatusInternalServerError)
		return
	}
	c.writeJSON(code, append(raw, '\n'))
}
