package completion

import (
	"iter"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// most is how many candidates are worth showing.
const most = 100

func match(word string, candidates []Candidate) []Candidate {
	return pick(word, slices.Values(candidates))
}

// pick gives the candidates that start with a word; where there is none, those that have its letters in order, the
// closest first: "hlo" finds "hello". Flags are only continued.
func pick(word string, all iter.Seq[Candidate]) []Candidate {
	fits := starting(word, all)
	if len(fits) == 0 && !strings.HasPrefix(word, "-") {
		fits = near(word, all)
	}
	return fits
}

// starting ends its look at the candidates as soon as it has enough: a key press must not go through a whole cluster.
func starting(word string, all iter.Seq[Candidate]) []Candidate {
	var fits []Candidate
	for c := range all {
		if strings.HasPrefix(c.Text, word) {
			fits = append(fits, c)
			if len(fits) == most {
				break
			}
		}
	}
	return fits
}

func near(word string, all iter.Seq[Candidate]) []Candidate {
	type scored struct {
		Candidate
		skipped int
	}
	var found []scored
	letters := []rune(strings.ToLower(word))
	for c := range all {
		if skipped, ok := skip(c.Text, letters); ok {
			found = append(found, scored{c, skipped})
		}
	}
	slices.SortStableFunc(found, func(a, b scored) int { return a.skipped - b.skipped })
	var fits []Candidate
	for _, f := range found[:min(most, len(found))] {
		fits = append(fits, f.Candidate)
	}
	return fits
}

// skip counts what stands between the wanted letters in a text that has them in order.
func skip(text string, wanted []rune) (skipped int, ok bool) {
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
