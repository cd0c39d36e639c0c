package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// source is the declarations of one package that matter here.
type source struct {
	types  []declared
	values map[string][]constant // the constants of each named type, in order
}

type declared struct {
	name string
	doc  *ast.CommentGroup
	expr ast.Expr
}

type constant struct{ name, value, doc string }

// readPackage returns the types of a package that have something to tell, sorted by name.
func readPackage(path string) ([]typeMarkers, error) {
	files, err := sourceFiles(path)
	if err != nil {
		return nil, err
	}
	src := source{values: map[string][]constant{}}
	fset := token.NewFileSet()
	for _, name := range files {
		file, err := parser.ParseFile(fset, name, nil, parser.ParseComments)
		if err != nil {
			return nil, err
		}
		for _, decl := range file.Decls {
			if gen, ok := decl.(*ast.GenDecl); ok {
				src.declare(gen)
			}
		}
	}
	var types []typeMarkers
	for _, d := range src.types {
		if t := src.markers(path, d); !t.empty() {
			types = append(types, t)
		}
	}
	slices.SortFunc(types, func(a, b typeMarkers) int { return strings.Compare(a.goType, b.goType) })
	return types, nil
}

func (s *source) declare(decl *ast.GenDecl) {
	for _, spec := range decl.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			doc := spec.Doc
			if doc == nil {
				doc = decl.Doc
			}
			if spec.Name.IsExported() {
				s.types = append(s.types, declared{spec.Name.Name, doc, spec.Type})
			}
		case *ast.ValueSpec:
			if decl.Tok == token.CONST {
				s.constants(spec)
			}
		}
	}
}

// constants keeps the text constants that have a named type.
func (s *source) constants(spec *ast.ValueSpec) {
	named, ok := spec.Type.(*ast.Ident)
	if !ok {
		return
	}
	for i, name := range spec.Names {
		if i >= len(spec.Values) {
			break
		}
		lit, ok := spec.Values[i].(*ast.BasicLit)
		if !ok || lit.Kind != token.STRING {
			continue
		}
		value, err := strconv.Unquote(lit.Value)
		if err == nil {
			s.values[named.Name] = append(s.values[named.Name], constant{name.Name, value, prose(spec.Doc)})
		}
	}
}

// constant finds a constant by its name.
func (s *source) constant(name string) (string, bool) {
	for _, list := range s.values {
		for _, c := range list {
			if c.name == name {
				return c.value, true
			}
		}
	}
	return "", false
}

func (s *source) markers(path string, d declared) typeMarkers {
	t := typeMarkers{goType: path + "." + d.name}
	own := markersIn(d.doc)
	t.atomic = own.value("structType") == "atomic" || own.value("mapType") == "atomic"
	if slices.Contains(documented, t.goType) {
		t.doc = prose(d.doc)
	}
	if own.has("enum") {
		t.enum = s.enum(d.name)
	}
	if fields, ok := d.expr.(*ast.StructType); ok {
		s.fields(&t, fields, own.has("union"))
	}
	return t
}

// enum returns the values of a type, each once, sorted.
func (s *source) enum(name string) []constant {
	values := slices.Clone(s.values[name])
	slices.SortStableFunc(values, func(a, b constant) int { return strings.Compare(a.value, b.value) })
	return slices.CompactFunc(values, func(a, b constant) bool { return a.value == b.value })
}

func (s *source) fields(t *typeMarkers, list *ast.StructType, union bool) {
	for _, f := range list.Fields.List {
		if f.Tag == nil || len(f.Names) == 0 {
			continue
		}
		tag, err := strconv.Unquote(f.Tag.Value)
		if err != nil {
			continue
		}
		name, options, _ := strings.Cut(reflect.StructTag(tag).Get("json"), ",")
		if name == "" || name == "-" {
			continue
		}
		m := markersIn(f.Doc)
		field := s.field(name, m, strings.Contains(options, "omit"))
		if slices.Contains(documented, t.goType) {
			field.doc = prose(f.Doc)
		}
		if !field.empty() {
			t.fields = append(t.fields, field)
		}
		switch {
		case m.has("unionDiscriminator"):
			t.discriminator = name
		case union:
			t.members = append(t.members, member{name, f.Names[0].Name})
		}
	}
}

func (s *source) field(name string, m markers, omitted bool) fieldMarkers {
	f := fieldMarkers{
		name:     name,
		listType: m.value("listType"),
		keys:     m.values("listMapKey"),
		mapType:  m.value("mapType"),
		fallback: m.value("default"),
		optional: !omitted && (m.has("optional") || m.has("k8s:optional")),
		required: omitted && (m.has("required") || m.has("k8s:required")),
	}
	if f.mapType == "" {
		f.mapType = m.value("structType")
	}
	if ref, ok := strings.CutPrefix(f.fallback, "ref("); ok {
		value, _ := s.constant(strings.TrimSuffix(ref, ")"))
		f.fallback = strconv.Quote(value)
	}
	return f
}
