package rest

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"pgregory.net/rapid"
)

// machine writes, reads and watches one namespace's config maps with client-go, and knows what must come of it.
type machine struct {
	*rapid.T
	bed       *bed
	maps      corev1client.ConfigMapInterface
	diary     diary
	now       map[string]*corev1.ConfigMap
	begin     int64 // the revision when nothing had happened
	newest    int64
	compacted int64
	serial    int
}

// TestReadsAndWatches: lists of every resourceVersion and match, pages and watches agree with what was written, whatever
// happens in between. -rapid.checks=N looks longer; a failure is shrunk, and printed with the seed that repeats it.
func TestReadsAndWatches(t *testing.T) {
	b := newBed(t, &tls.Config{})
	client, spaces := b.client(), 0
	rapid.Check(t, func(t *rapid.T) {
		spaces++
		name := fmt.Sprintf("space-%d", spaces)
		ns, err := client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
		if err != nil {
			t.Fatal(err)
		}
		m := &machine{T: t, bed: b, maps: client.CoreV1().ConfigMaps(name), now: map[string]*corev1.ConfigMap{}}
		m.begin = m.revision(ns.ResourceVersion)
		m.newest = m.begin
		t.Repeat(map[string]func(*rapid.T){
			"write":   func(*rapid.T) { m.write() },
			"list":    func(*rapid.T) { m.list() },
			"pages":   func(*rapid.T) { m.pages() },
			"watch":   func(*rapid.T) { m.watch() },
			"stream":  func(*rapid.T) { m.stream() },
			"compact": func(*rapid.T) { m.compact() },
		})
	})
}

func (m *machine) ok(err error) {
	m.Helper()
	if err != nil {
		m.Fatal(err)
	}
}

func (m *machine) revision(s string) int64 {
	m.Helper()
	n, err := strconv.ParseInt(s, 10, 64)
	m.ok(err)
	return n
}

func (m *machine) same(what string, got, want []string) {
	m.Helper()
	if !slices.Equal(got, want) {
		m.Fatalf("%s:\ngot  %q\nwant %q", what, got, want)
	}
}

// write creates, changes or deletes one of a few config maps.
func (m *machine) write() {
	name := rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(m.T, "name")
	color := rapid.SampledFrom([]string{"red", "blue"}).Draw(m.T, "color")
	m.serial++
	h, old := happening{name: name, now: value{fmt.Sprint(m.serial), color}}, m.now[name]
	next := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"color": color}}, Data: map[string]string{"value": h.now.data}}
	var err error
	switch {
	case old == nil:
		h.kind = watch.Added
		next, err = m.maps.Create(m.Context(), next, metav1.CreateOptions{})
	case rapid.Bool().Draw(m.T, "delete"):
		h.kind, h.old = watch.Deleted, valueOf(old)
		m.ok(m.maps.Delete(m.Context(), name, metav1.DeleteOptions{}))
		delete(m.now, name)
		m.remember(h, m.all(metav1.ListOptions{Limit: 1}).ResourceVersion) // nobody else writes
		return
	default:
		h.kind, h.old, next.ResourceVersion = watch.Modified, valueOf(old), old.ResourceVersion
		next, err = m.maps.Update(m.Context(), next, metav1.UpdateOptions{})
	}
	m.ok(err)
	m.now[name] = next
	m.remember(h, next.ResourceVersion)
}

func (m *machine) remember(h happening, version string) {
	m.Helper()
	if h.revision = m.revision(version); h.revision <= m.newest {
		m.Fatalf("%s %s got revision %d after %d", h.kind, h.name, h.revision, m.newest)
	}
	m.newest = h.revision
	m.diary = append(m.diary, h)
}

func (m *machine) all(o metav1.ListOptions) *corev1.ConfigMapList {
	m.Helper()
	l, err := m.maps.List(m.Context(), o)
	m.ok(err)
	return l
}

// then draws a revision at which something happened, or the first.
func (m *machine) then() int64 {
	if len(m.diary) == 0 {
		return m.begin
	}
	if i := rapid.IntRange(-1, len(m.diary)-1).Draw(m.T, "then"); i >= 0 {
		return m.diary[i].revision
	}
	return m.begin
}

func shown(l *corev1.ConfigMapList) []string {
	var all []string
	for i := range l.Items {
		all = append(all, showMap(&l.Items[i]))
	}
	return all
}

// list is of each resourceVersion and match.
func (m *machine) list() {
	o, color, then := metav1.ListOptions{}, m.color(), m.then()
	if color != "" {
		o.LabelSelector = "color=" + color
	}
	o.ResourceVersionMatch = rapid.SampledFrom([]metav1.ResourceVersionMatch{"", metav1.ResourceVersionMatchNotOlderThan,
		metav1.ResourceVersionMatchExact}).Draw(m.T, "match")
	if o.ResourceVersionMatch != "" || rapid.Bool().Draw(m.T, "of a revision") {
		o.ResourceVersion = fmt.Sprint(then)
		if o.ResourceVersionMatch != metav1.ResourceVersionMatchExact && rapid.Bool().Draw(m.T, "any") {
			o.ResourceVersion = "0"
		}
	}
	l, err := m.maps.List(m.Context(), o)
	exact := o.ResourceVersionMatch == metav1.ResourceVersionMatchExact
	if exact && then < m.compacted && apierrors.IsResourceExpired(err) && apierrors.ReasonForError(err) == metav1.StatusReasonExpired {
		return
	}
	m.ok(err)
	at := m.revision(l.ResourceVersion)
	if exact && at != then || !exact && at < m.newest {
		m.Fatalf("the list of %+v is of revision %d; the newest is %d", o, at, m.newest)
	}
	m.same(fmt.Sprintf("list of %+v", o), shown(l), m.diary.at(at, color))
}

func (m *machine) color() string { return rapid.SampledFrom([]string{"", "red"}).Draw(m.T, "selected") }

// pages reads a list piece by piece while it changes; all pieces are of the first one's revision, each object in one.
func (m *machine) pages() {
	o := metav1.ListOptions{Limit: int64(rapid.IntRange(1, 3).Draw(m.T, "limit"))}
	var got []string
	first := int64(0)
	for {
		l, err := m.maps.List(m.Context(), o)
		if o.Continue != "" && first < m.compacted && apierrors.IsResourceExpired(err) {
			m.goesOn(err, o, got)
			return
		}
		m.ok(err)
		if first == 0 {
			first = m.revision(l.ResourceVersion)
		}
		want := m.diary.at(first, "")
		if l.ResourceVersion != fmt.Sprint(first) {
			m.Fatalf("a page of a list at %d is of %s", first, l.ResourceVersion)
		}
		got = append(got, shown(l)...)
		if left := int64(len(want) - len(got)); left > 0 && (l.RemainingItemCount == nil || *l.RemainingItemCount != left) || (left > 0) != (l.Continue != "") {
			m.Fatalf("%d of %d items at %d, and %v remain", len(got), len(want), first, l.RemainingItemCount)
		}
		if o.Continue = l.Continue; o.Continue == "" {
			m.same(fmt.Sprintf("pages of %d at %d", o.Limit, first), got, want)
			return
		}
		for range rapid.IntRange(0, 2).Draw(m.T, "meanwhile") {
			m.write()
		}
		if rapid.IntRange(0, 5).Draw(m.T, "forget") == 0 {
			m.compact()
		}
	}
}

// goesOn: with the token of the refusal the list goes on at today's state, with what comes after the last page.
func (m *machine) goesOn(err error, o metav1.ListOptions, got []string) {
	status := err.(apierrors.APIStatus).Status()
	if status.Code != http.StatusGone || status.Continue == "" {
		m.Fatalf("an expired page: %+v", status)
	}
	l := m.all(metav1.ListOptions{Continue: status.Continue})
	last, _, _ := strings.Cut(got[len(got)-1], "=")
	var want []string
	for _, s := range m.diary.at(m.revision(l.ResourceVersion), "") {
		if name, _, _ := strings.Cut(s, "="); name > last {
			want = append(want, s)
		}
	}
	m.same(fmt.Sprintf("the rest of pages of %d", o.Limit), shown(l), want)
}

// compact makes etcd forget what came before a revision.
func (m *machine) compact() {
	then := m.then()
	if then <= m.compacted {
		return
	}
	if _, err := m.bed.api.Store().Client().Compact(m.Context(), then); err == nil {
		m.compacted = then // an earlier namespace's revisions may have gone further
	}
}

// until reads a watch's events up to the newest revision.
func (m *machine) until(w watch.Interface, newest int64) (all []string) {
	m.Helper()
	defer w.Stop()
	ctx, cancel := context.WithTimeout(m.Context(), 30*time.Second)
	defer cancel()
	for {
		select {
		case e, ok := <-w.ResultChan():
			if !ok || e.Type == watch.Error {
				m.Fatalf("after %q the watch ended: %v", all, e.Object)
			}
			o := e.Object.(*corev1.ConfigMap)
			if e.Type == watch.Bookmark {
				all = append(all, fmt.Sprint(e.Type, " ", o.Annotations[metav1.InitialEventsAnnotationKey]))
				continue
			}
			all = append(all, fmt.Sprint(e.Type, " ", showMap(o)))
			if m.revision(o.ResourceVersion) >= newest {
				return all
			}
		case <-ctx.Done():
			m.Fatalf("after %q nothing came; the newest revision is %d", all, newest)
		}
	}
}
