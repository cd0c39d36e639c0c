package rest

import (
	"fmt"
	"net/http"
	"sort"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes"
	clientrest "k8s.io/client-go/rest"

	"leme/server/auth"
)

// asAdmin sends requests as the harness's administrator.
type asAdmin struct{ http.RoundTripper }

func (a asAdmin) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("X-User", "admin")
	r.Header.Set("X-Group", auth.GroupMasters)
	return a.RoundTripper.RoundTrip(r)
}

// client is client-go, for an administrator.
func (b *bed) client() kubernetes.Interface {
	return kubernetes.NewForConfigOrDie(&clientrest.Config{Host: b.secure.URL, TLSClientConfig: clientrest.TLSClientConfig{Insecure: true}, QPS: -1,
		WrapTransport: func(rt http.RoundTripper) http.RoundTripper { return asAdmin{rt} }})
}

// happening is one change of a namespace's config maps, as the one who made it knows.
type happening struct {
	revision int64
	kind     watch.EventType
	name     string
	old, now value
}

// value is what a config map is about here: its data and its label.
type value struct{ data, color string }

func valueOf(m *corev1.ConfigMap) value { return value{m.Data["value"], m.Labels["color"]} }

// diary is everything that has happened in a namespace.
type diary []happening

// at is the state at a revision: "name=data@revision" by name, of a color when one is given.
func (d diary) at(revision int64, color string) []string {
	there := map[string]string{}
	for _, h := range d {
		if h.revision > revision {
			break
		}
		if delete(there, h.name); h.kind != watch.Deleted && (color == "" || h.now.color == color) {
			there[h.name] = show(h.name, h.now.data, h.revision)
		}
	}
	var all []string
	for _, s := range there {
		all = append(all, s)
	}
	sort.Strings(all)
	return all
}

// after are the events later than a revision that somebody sees who selects a color.
func (d diary) after(revision int64, color string) []string {
	var all []string
	for _, h := range d {
		if h.revision <= revision {
			continue
		}
		kind, shown := h.kind, h.now
		if color != "" {
			was, is := h.kind != watch.Added && h.old.color == color, h.kind != watch.Deleted && h.now.color == color
			switch {
			case !was && !is:
				continue
			case was && is:
				kind = watch.Modified
			case is:
				kind = watch.Added
			default:
				kind, shown = watch.Deleted, h.old
			}
		}
		if kind == watch.Deleted {
			shown = h.old // the last state
		}
		all = append(all, fmt.Sprint(kind, " ", show(h.name, shown.data, h.revision)))
	}
	return all
}

func show(name, data string, revision int64) string {
	return name + "=" + data + "@" + strconv.FormatInt(revision, 10)
}

func showMap(m *corev1.ConfigMap) string {
	return m.Name + "=" + m.Data["value"] + "@" + m.ResourceVersion
}
