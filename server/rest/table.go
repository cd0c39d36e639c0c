package rest

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"strconv"
	"sync"
	"time"

	autoscalingv1 "k8s.io/api/autoscaling/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// table is how a kind is printed: its columns as JSON, and what makes a row of an object.
type table struct {
	memo    string // the name under which rows are kept
	columns []byte
	row     func(runtime.Object) []any
}

// plain prints what every object has, for what declares no columns of its own.
var plain = sync.OnceValue(func() *table {
	return newTable("row-plain", []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name", Description: "Name must be unique within a namespace."},
		{Name: "Age", Type: "string", Description: "The time since the object was created."},
	}, func(obj runtime.Object) []any {
		m, err := meta.Accessor(obj)
		if err != nil {
			return []any{"", ""}
		}
		return []any{m.GetName(), kind.Age(m.GetCreationTimestamp())}
	})
})

// scale prints the scale subresource of whatever kind.
var scale = sync.OnceValue(func() *table {
	return newTable("row-scale", []metav1.TableColumnDefinition{
		{Name: "Name", Type: "string", Format: "name", Description: metav1.ObjectMeta{}.SwaggerDoc()["name"]},
		{Name: "Desired", Type: "integer", Description: autoscalingv1.ScaleSpec{}.SwaggerDoc()["replicas"]},
		{Name: "Available", Type: "integer", Description: autoscalingv1.ScaleStatus{}.SwaggerDoc()["replicas"]},
		{Name: "Age", Type: "string", Description: metav1.ObjectMeta{}.SwaggerDoc()["creationTimestamp"]},
	}, func(obj runtime.Object) []any {
		s := obj.(*autoscalingv1.Scale)
		return []any{s.Name, s.Spec.Replicas, s.Status.Replicas, kind.Age(s.CreationTimestamp)}
	})
})

func newTable(memo string, columns []metav1.TableColumnDefinition, row func(runtime.Object) []any) *table {
	raw, err := json.Marshal(columns)
	if err != nil {
		panic(err) // plain strings and numbers
	}
	return &table{memo: memo, columns: raw, row: row}
}

// tables keeps each kind's table.
type tables struct{ made sync.Map } // *kind.Kind → *table

func (t *tables) of(k *kind.Kind, subresource string) *table {
	switch {
	case subresource == resource.Scale:
		return scale()
	case k.Row == nil:
		return plain()
	}
	if made, ok := t.made.Load(k); ok {
		return made.(*table)
	}
	made, _ := t.made.LoadOrStore(k, newTable("row", k.Columns, k.Row))
	return made.(*table)
}

// writeTable answers with a table of a list's rows.
func (c *call) writeTable(code int, list *resource.List) error {
	include, err := c.included()
	if err != nil {
		return err
	}
	t := c.tables.of(c.kind, c.info.Subresource)
	p := printer{table: t, include: include, now: time.Now()}
	out := &output{}
	if c.accept.direct() {
		out = c.start(code, 2*sizeOf(list.Items)/3)
		defer out.close()
	}
	out.buf = p.appendHead(out.buf, list, t.columns)
	for i, it := range list.Items {
		if i > 0 {
			out.buf = append(out.buf, ',')
		}
		if out.buf, err = p.appendRow(out.buf, it); err != nil {
			// The answer may have begun: what cannot be printed is left blank rather than cut off.
			out.buf = fmt.Appendf(out.buf, `{"cells":[%q]}`, it.Key.Name)
		}
		if out.w != nil && !out.spill() {
			return nil
		}
	}
	out.buf = append(out.buf, "]}\n"...)
	if out.w == nil {
		c.writeJSON(code, out.buf)
	}
	return nil
}

// included is how much of each object the client wants beside its cells.
func (c *call) included() (metav1.IncludeObjectPolicy, error) {
	switch p := metav1.IncludeObjectPolicy(c.query.Get("includeObject")); p {
	case "":
		return metav1.IncludeMetadata, nil
	case metav1.IncludeNone, metav1.IncludeMetadata, metav1.IncludeObject:
		return p, nil
	default:
		return "", apierrors.NewBadRequest(fmt.Sprintf("unrecognized includeObject value: %q", p))
	}
}

// printer renders tables at one moment.
type printer struct {
	*table
	include metav1.IncludeObjectPolicy
	now     time.Time
}

// appendHead appends everything up to the first row. Columns may be null: a watch has told them already.
func (p *printer) appendHead(dst []byte, list *resource.List, columns []byte) []byte {
	dst = append(dst, `{"kind":"Table","apiVersion":"meta.k8s.io/v1","metadata":`...)
	dst = appendListMeta(dst, list)
	dst = append(dst, `,"columnDefinitions":`...)
	dst = append(dst, columns...)
	return append(dst, `,"rows":[`...)
}

// appendRow appends one row. It leaves dst as it was when the object cannot be decoded.
func (p *printer) appendRow(dst []byte, it *store.Item) ([]byte, error) {
	cells, err := it.Memo(p.memo, p.encodeRow)
	if err != nil {
		return dst, err
	}
	dst = append(dst, `{"cells":[`...)
	dst = renderCells(dst, cells, p.now)
	dst = append(dst, ']')
	switch p.include {
	case metav1.IncludeMetadata:
		dst = append(dst, `,"object":`...)
		dst = appendPartial(dst, it)
	case metav1.IncludeObject:
		dst = append(dst, `,"object":`...)
		dst = append(dst, it.JSON...)
	}
	return append(dst, '}'), nil
}

// encodeRow makes an object's cells: JSON, but for those that depend on the time, of which their values are kept.
func (t *table) encodeRow(it *store.Item) ([]byte, error) {
	obj, err := it.Object()
	if err != nil {
		return nil, err
	}
	var raw []byte
	for i, cell := range t.row(obj) {
		if i > 0 {
			raw = append(raw, ',')
		}
		if timed, ok := appendTimed(raw, cell); ok {
			raw = timed
			continue
		}
		encoded, err := json.Marshal(cell)
		if err != nil {
			return nil, fmt.Errorf("printing %s: %w", it.Key, err)
		}
		raw = append(raw, encoded...)
	}
	return raw, nil
}

// A timed cell is kept as a zero byte, which JSON never has, a letter for its type, and its values.
const (
	timedMark = 0
	ofAge     = 'a'
	ofRestart = 'r'
	ofSeen    = 's'
	ofOften   = 'o'
)

func appendTimed(dst []byte, cell any) ([]byte, bool) {
	switch v := cell.(type) {
	case kind.Age:
		dst = append(dst, timedMark, ofAge)
		return appendTime(dst, metav1.Time(v)), true
	case kind.Restarts:
		if v.Count == 0 || v.Last.IsZero() { // it reads the same at any time
			return strconv.AppendQuote(dst, v.At(time.Time{})), true
		}
		dst = append(dst, timedMark, ofRestart)
		dst = binary.AppendVarint(dst, int64(v.Count))
		return appendTime(dst, v.Last), true
	case kind.Seen:
		letter := byte(ofSeen)
		if v.Often {
			letter = ofOften
		}
		dst = append(dst, timedMark, letter)
		dst = binary.AppendVarint(dst, int64(v.Count))
		dst = appendTime(dst, metav1.Time(v.First))
		return appendTime(dst, metav1.Time(v.Last)), true
	}
	return dst, false
}

// appendTime keeps a time to the second, 0 for none.
func appendTime(dst []byte, t metav1.Time) []byte {
	if t.IsZero() {
		return binary.AppendVarint(dst, 0)
	}
	return binary.AppendVarint(dst, t.Unix())
}
