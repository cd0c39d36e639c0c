package indexes

import (
	"slices"
	"testing"

	"pgregory.net/rapid"
)

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "0": "0", "1,3-5,7": "1,3-5,7", "1-2": "1,2",
		"3,1":   "non-increasing order, previous: 3, current: 1",
		"2-2":   "non-increasing order, previous: 2, current: 2",
		"1-2-3": `the fragment "1-2-3" violates the requirement that an index interval can have at most two parts separated by '-'`,
		"a":     `cannot convert string to integer for index: "a"`, "1-": `cannot convert string to integer for index: ""`,
		"9-10": `too large index: "10"`, "10": `too large index: "10"`,
	} {
		set, err := Parse(text, 10)
		got := set.String()
		if err != nil {
			got = err.Error()
		}
		if got != want {
			t.Errorf("%q: got %s, want %s", text, got, want)
		}
	}
	if got := Below("1,3-7,x,9", 5).String(); got != "1,3,4" {
		t.Errorf("got %s", got)
	}
}

// A set is what a map of its indexes would be.
func TestSets(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lists := rapid.SliceOfN(rapid.SliceOf(rapid.Int32Range(0, 40)), 2, 2).Draw(t, "indexes")
		a, b := Of(lists[0]...), Of(lists[1]...)
		both := a.With(b)
		var shared []int32
		for index := range int32(41) {
			inA, inB := slices.Contains(lists[0], index), slices.Contains(lists[1], index)
			if a.Has(index) != inA || both.Has(index) != (inA || inB) {
				t.Fatalf("%d in %s with %s is %s", index, a, b, both)
			}
			if inA && inB {
				shared = append(shared, index)
			}
		}
		first, found := a.Common(b)
		if found != (len(shared) > 0) || found && first != shared[0] {
			t.Fatalf("%s and %s share %v, not %d", a, b, shared, first)
		}
		again, err := Parse(both.String(), 41)
		if err != nil || !slices.Equal(again, Of(append(lists[0], lists[1]...)...)) && both.Len() != again.Len() {
			t.Fatalf("%s was read back as %s: %v", both, again, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	f.Add("1,3-5", int32(9))
	f.Fuzz(func(t *testing.T, text string, limit int32) {
		set, err := Parse(text, limit)
		if err == nil && set.Len() > 0 && !set.Has(set[0].First) {
			t.Errorf("%q was read as %v", text, set)
		}
		_ = Below(text, limit).String()
	})
}
