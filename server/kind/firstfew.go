package kind

import (
	"fmt"
	"strings"
)

// firstFewShown is how many of a list's texts are printed.
const firstFewShown = 3

// firstFew is the first texts of a list, and how many there are: "a,b,c + 2 more...".
type firstFew struct {
	shown []string
	count int
}

func (f *firstFew) add(text string) {
	if f.count++; f.count <= firstFewShown {
		f.shown = append(f.shown, text)
	}
}

func (f *firstFew) String() string {
	text := strings.Join(f.shown, ",")
	if f.count <= firstFewShown {
		return text
	}
	return fmt.Sprintf("%s + %d more...", text, f.count-firstFewShown)
}
