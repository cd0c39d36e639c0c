package completion

import (
	"sort"
	"strings"
	"unicode"
	"unicode/utf8"
)

// most is how many candidates are worth showing.
const most = 100

// picker keeps the candidates that start with a word; where there is none, those that have its letters
// in order, the closest first: "hlo" finds "hello".
type picker struct {
	word  string
	lower []rune
	fits  []Candidate
	near  []scored
}

type scored struct {
	Candidate
	skipped int
}

func pick(word string) *picker { return &picker{word: word, lower: []rune(strings.ToLower(word))} }

func (p *picker) add(text, description string, noSpace bool) {
	switch {
	case strings.HasPrefix(text, p.word):
		if len(p.fits) < most {
			p.fits = append(p.fits, Candidate{text, description, noSpace})
		}
	case len(p.fits) == 0 && !strings.HasPrefix(p.word, "-"): // flags: only what continues them
		if skipped, ok := p.skip(text); ok {
			p.near = append(p.near, scored{Candidate{text, description, noSpace}, skipped})
		}
	}
}

func (p *picker) picked() []Candidate {
	if len(p.fits) > 0 {
		return p.fits
	}
	sort.SliceStable(p.near, func(i, j int) bool { return p.near[i].skipped < p.near[j].skipped })
	for _, n := range p.near[:min(most, len(p.near))] {
		p.fits = append(p.fits, n.Candidate)
	}
	return p.fits
}

// skip counts what stands between the word's letters in a text that has them in order.
func (p *picker) skip(text string) (skipped int, ok bool) {
	wanted := p.lower
	pending := 0
	for i := 0; i < len(text) && len(wanted) > 0; {
		r, size := rune(text[i]), 1
		if r >= utf8.RuneSelf {
			r, size = utf8.DecodeRuneInString(text[i:])
		}
		i += size
		if unicode.ToLower(r) != wanted[0] {
			pending++
			continue
		}
		wanted = wanted[1:]
		skipped += pending
		pending = 0
	}
	return skipped, len(wanted) == 0
}

func match(word string, candidates []Candidate) []Candidate {
	p := pick(word)
	for _, c := range candidates {
		p.add(c.Text, c.Description, c.NoSpace)
	}
	return p.picked()
}
