package main

import (
	"go/ast"
	"strings"
)

// marker is one line of a comment like "+listMapKey=name".
type marker struct{ name, value string }

type markers []marker

func markersIn(doc *ast.CommentGroup) markers {
	var list markers
	for _, line := range lines(doc) {
		if text, ok := strings.CutPrefix(line, "+"); ok {
			name, value, _ := strings.Cut(text, "=")
			list = append(list, marker{name, strings.TrimSpace(value)})
		}
	}
	return list
}

func (m markers) has(name string) bool {
	for _, marker := range m {
		if marker.name == name {
			return true
		}
	}
	return false
}

// value is the first one; several fields carry the same marker twice.
func (m markers) value(name string) string {
	if all := m.values(name); len(all) > 0 {
		return all[0]
	}
	return ""
}

func (m markers) values(name string) []string {
	var all []string
	for _, marker := range m {
		if marker.name == name {
			all = append(all, marker.value)
		}
	}
	return all
}

// prose is a comment without its markers, in one paragraph a paragraph.
func prose(doc *ast.CommentGroup) string {
	var paragraphs []string
	var words []string
	flush := func() {
		if len(words) > 0 {
			paragraphs = append(paragraphs, strings.Join(words, " "))
		}
		words = nil
	}
	for _, line := range lines(doc) {
		switch {
		case strings.HasPrefix(line, "+"), line == "---":
		case line == "":
			flush()
		default:
			words = append(words, line)
		}
	}
	flush()
	return strings.Join(paragraphs, "\n\n")
}

func lines(doc *ast.CommentGroup) []string {
	if doc == nil {
		return nil
	}
	var all []string
	for _, comment := range doc.List {
		text := strings.TrimPrefix(comment.Text, "//")
		all = append(all, strings.TrimSpace(text))
	}
	return all
}
