package main

import (
	"fmt"
	"io"
)

// documented are the types that are described here, with their fields, since they have no generated SwaggerDoc method.
var documented = []string{
	"k8s.io/apimachinery/pkg/api/resource.Quantity",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Duration",
	"k8s.io/apimachinery/pkg/apis/meta/v1.MicroTime",
	"k8s.io/apimachinery/pkg/apis/meta/v1.Time",
	"k8s.io/apimachinery/pkg/runtime.RawExtension",
	"k8s.io/apimachinery/pkg/util/intstr.IntOrString",
	"k8s.io/metrics/pkg/apis/metrics/v1beta1.ContainerMetrics",
	"k8s.io/metrics/pkg/apis/metrics/v1beta1.NodeMetrics",
	"k8s.io/metrics/pkg/apis/metrics/v1beta1.NodeMetricsList",
	"k8s.io/metrics/pkg/apis/metrics/v1beta1.PodMetrics",
	"k8s.io/metrics/pkg/apis/metrics/v1beta1.PodMetricsList",
}

type typeMarkers struct {
	goType, doc   string
	atomic        bool
	enum          []constant
	fields        []fieldMarkers
	discriminator string
	members       []member
}

type fieldMarkers struct {
	name, doc, listType, mapType, fallback string
	keys                                   []string
	optional, required                     bool
}

type member struct{ jsonName, goName string }

func (t typeMarkers) empty() bool {
	return t.doc == "" && !t.atomic && len(t.enum) == 0 && len(t.fields) == 0 && len(t.members) == 0
}

func (f fieldMarkers) empty() bool {
	return f.doc == "" && f.listType == "" && f.mapType == "" && f.fallback == "" && len(f.keys) == 0 && !f.optional && !f.required
}

func (t typeMarkers) write(w io.Writer) {
	fmt.Fprintf(w, "{GoType: %q,\n", t.goType)
	if t.doc != "" {
		fmt.Fprintf(w, "Doc: %q,\n", t.doc)
	}
	if t.atomic {
		fmt.Fprint(w, "Atomic: true,\n")
	}
	if len(t.enum) > 0 {
		fmt.Fprint(w, "Enum: []enumValue{\n")
		for _, c := range t.enum {
			fmt.Fprintf(w, "{%q, %q},\n", c.value, c.doc)
		}
		fmt.Fprint(w, "},\n")
	}
	if len(t.fields) > 0 {
		fmt.Fprint(w, "Fields: []fieldMarkers{\n")
		for _, f := range t.fields {
			f.write(w)
		}
		fmt.Fprint(w, "},\n")
	}
	if len(t.members) > 0 {
		fmt.Fprintf(w, "Discriminator: %q,\nMembers: []unionMember{\n", t.discriminator)
		for _, m := range t.members {
			fmt.Fprintf(w, "{%q, %q},\n", m.jsonName, m.goName)
		}
		fmt.Fprint(w, "},\n")
	}
	fmt.Fprint(w, "},\n")
}

func (f fieldMarkers) write(w io.Writer) {
	fmt.Fprintf(w, "{Name: %q", f.name)
	for _, text := range []struct{ field, value string }{
		{"Doc", f.doc}, {"ListType", f.listType}, {"MapType", f.mapType}, {"Default", f.fallback},
	} {
		if text.value != "" {
			fmt.Fprintf(w, ", %s: %q", text.field, text.value)
		}
	}
	if len(f.keys) > 0 {
		fmt.Fprintf(w, ", ListMapKeys: %#v", f.keys)
	}
	if f.optional {
		fmt.Fprint(w, ", Optional: true")
	}
	if f.required {
		fmt.Fprint(w, ", Required: true")
	}
	fmt.Fprint(w, "},\n")
}
