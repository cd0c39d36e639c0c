package rest

import (
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// watch starts at some revision and gives what has happened since, and what happens then.
func (m *machine) watch() {
	from, color := m.then(), m.color()
	o := metav1.ListOptions{ResourceVersion: fmt.Sprint(from)}
	if color != "" {
		o.LabelSelector = "color=" + color
	}
	w, err := m.maps.Watch(m.Context(), o)
	m.ok(err)
	m.mark(color)
	m.same(fmt.Sprintf("watch of %+v", o), m.until(w, m.newest), m.diary.after(from, color))
}

// stream starts with everything there is, and says when that is all.
func (m *machine) stream() {
	yes, color := true, m.color()
	o := metav1.ListOptions{SendInitialEvents: &yes, AllowWatchBookmarks: true, ResourceVersionMatch: metav1.ResourceVersionMatchNotOlderThan}
	if color != "" {
		o.LabelSelector = "color=" + color
	}
	var want []string
	for _, s := range m.diary.at(m.newest, color) {
		want = append(want, "ADDED "+s)
	}
	want = append(want, "BOOKMARK true")
	before := m.newest
	w, err := m.maps.Watch(m.Context(), o)
	m.ok(err)
	m.mark(color)
	m.same(fmt.Sprintf("stream of %+v", o), m.until(w, m.newest), append(want, m.diary.after(before, color)...))
}

// mark writes until a change was made that who selects the color sees.
func (m *machine) mark(color string) {
	for before := m.newest; len(m.diary.after(before, color)) == 0 || !m.seesLast(before, color); {
		m.write()
	}
}

func (m *machine) seesLast(before int64, color string) bool {
	seen := m.diary.after(before, color)
	return strings.HasSuffix(seen[len(seen)-1], fmt.Sprint("@", m.newest))
}
