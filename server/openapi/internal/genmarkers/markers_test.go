package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"reflect"
	"testing"
)

const sample = `package v1

// Thing is
// a thing.
//
// It is shown.
// +structType=atomic
// +union
type Thing struct {
	// +listType=map
	// +listMapKey=name
	// +listMapKey=kind
	Items []Item ` + "`json:\"items,omitempty\"`" + `
	// +default=ref(Red)
	Color Color ` + "`json:\"color,omitempty\"`" + `
	// +unionDiscriminator
	// +optional
	Type string ` + "`json:\"type\"`" + `
	// +required
	Size int ` + "`json:\"size,omitempty\"`" + `
	Plain string ` + "`json:\"plain\"`" + `
}

// +enum
type Color string

const (
	// Red is warm.
	Red Color = "red"
	Blue Color = "blue"
	Azure Color = "blue"
)
`

// read returns the markers of the sample's types.
func read(t *testing.T) map[string]typeMarkers {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "sample.go", sample, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	src := source{values: map[string][]constant{}}
	for _, decl := range file.Decls {
		src.declare(decl.(*ast.GenDecl))
	}
	found := map[string]typeMarkers{}
	for _, d := range src.types {
		found[d.name] = src.markers("v1", d)
	}
	return found
}

func TestMarkers(t *testing.T) {
	types := read(t)
	thing := types["Thing"]
	if !thing.atomic || thing.discriminator != "type" || len(thing.members) != 4 {
		t.Errorf("the struct's own markers: %+v", thing)
	}
	want := []fieldMarkers{
		{name: "items", listType: "map", keys: []string{"name", "kind"}},
		{name: "color", fallback: `"red"`},
		{name: "type", optional: true},
		{name: "size", required: true},
	}
	if !reflect.DeepEqual(thing.fields, want) {
		t.Errorf("fields\ngot  %+v\nwant %+v", thing.fields, want)
	}
	if got := types["Color"].enum; len(got) != 2 || got[0].value != "blue" || got[1] != (constant{"Red", "red", "Red is warm."}) {
		t.Errorf("values: %+v", got)
	}
}

func TestProse(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "sample.go", sample, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	doc := file.Decls[0].(*ast.GenDecl).Doc
	if got := prose(doc); got != "Thing is a thing.\n\nIt is shown." {
		t.Errorf("got %q", got)
	}
}

// The table in the tree is the one that the sources in use give.
func TestTableIsCurrent(t *testing.T) {
	file := filepath.Join(t.TempDir(), "table.go")
	if err := generate(file); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("../../zz_markers.go")
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != string(want) {
		t.Error("zz_markers.go is stale: run go generate ./server/openapi")
	}
}
