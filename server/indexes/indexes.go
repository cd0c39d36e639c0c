// Package indexes reads and writes sets of a Job's completion indexes in their short form: "1,3-5,7".
package indexes

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Set is indexes as intervals, in increasing order and apart from each other. The zero value is empty.
type Set []Interval

// Interval is the indexes from First to Last, both included.
type Interval struct{ First, Last int32 }

// Parse reads a set whose indexes are below a limit.
func Parse(text string, limit int32) (Set, error) {
	if text == "" {
		return nil, nil
	}
	var set Set
	for _, fragment := range strings.Split(text, ",") {
		i, err := parseInterval(fragment, limit)
		if err != nil {
			return nil, err
		}
		if n := len(set); n > 0 && set[n-1].Last >= i.First {
			return nil, fmt.Errorf("non-increasing order, previous: %d, current: %d", set[n-1].Last, i.First)
		}
		set = append(set, i)
	}
	return set, nil
}

func parseInterval(fragment string, limit int32) (Interval, error) {
	parts := strings.Split(fragment, "-")
	if len(parts) > 2 {
		return Interval{}, fmt.Errorf("the fragment %q violates the requirement that an index interval can have at most two parts separated by '-'", fragment)
	}
	first, err := parseIndex(parts[0], limit)
	if err != nil || len(parts) == 1 {
		return Interval{first, first}, err
	}
	last, err := parseIndex(parts[1], limit)
	if err != nil {
		return Interval{}, err
	}
	if first >= last {
		return Interval{}, fmt.Errorf("non-increasing order, previous: %d, current: %d", first, last)
	}
	return Interval{first, last}, nil
}

func parseIndex(text string, limit int32) (int32, error) {
	n, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, fmt.Errorf("cannot convert string to integer for index: %q", text)
	case n >= int(limit):
		return 0, fmt.Errorf("too large index: %q", text)
	}
	return int32(n), nil
}

// Below reads as much of a set as makes sense, without the indexes that are not below a limit: how a status is read
// whose Job has been made smaller.
func Below(text string, limit int32) Set {
	var set Set
	for _, fragment := range strings.Split(text, ",") {
		first, last, found := strings.Cut(fragment, "-")
		if !found {
			last = first
		}
		from, err := strconv.Atoi(first)
		to, err2 := strconv.Atoi(last)
		if err != nil || err2 != nil || from < 0 || from >= int(limit) || to < from {
			continue
		}
		set = append(set, Interval{int32(from), int32(min(to, int(limit)-1))})
	}
	return set
}

// Of is the set of some indexes, in any order.
func Of(list ...int32) Set {
	list = slices.Clone(list)
	slices.Sort(list)
	var set Set
	for _, index := range list {
		set = set.extend(Interval{index, index})
	}
	return set
}

// extend adds an interval that starts no earlier than the last one, joined with it where they meet.
func (s Set) extend(i Interval) Set {
	if n := len(s); n > 0 && i.First <= s[n-1].Last+1 {
		s[n-1].Last = max(s[n-1].Last, i.Last)
		return s
	}
	return append(s, i)
}

// With is the set with those of another added.
func (s Set) With(other Set) Set {
	all := slices.Concat(s, other)
	slices.SortFunc(all, func(a, b Interval) int { return int(a.First) - int(b.First) })
	var set Set
	for _, i := range all {
		set = set.extend(i)
	}
	return set
}

// Has tells whether an index is in the set.
func (s Set) Has(index int32) bool {
	_, found := slices.BinarySearchFunc(s, index, func(i Interval, index int32) int {
		switch {
		case i.Last < index:
			return -1
		case i.First > index:
			return 1
		}
		return 0
	})
	return found
}

// Len is how many indexes there are.
func (s Set) Len() (n int32) {
	for _, i := range s {
		n += i.Last - i.First + 1
	}
	return n
}

// Common is the first index that two sets share.
func (s Set) Common(other Set) (index int32, found bool) {
	for i, j := 0, 0; i < len(s) && j < len(other); {
		if first := max(s[i].First, other[j].First); first <= min(s[i].Last, other[j].Last) {
			return first, true
		}
		if s[i].Last < other[j].Last {
			i++
		} else {
			j++
		}
	}
	return 0, false
}

// String is the set's short form; two neighbours are written one by one.
func (s Set) String() string {
	var text []string
	for _, i := range s {
		switch i.Last - i.First {
		case 0:
			text = append(text, strconv.Itoa(int(i.First)))
		case 1:
			text = append(text, strconv.Itoa(int(i.First)), strconv.Itoa(int(i.Last)))
		default:
			text = append(text, fmt.Sprintf("%d-%d", i.First, i.Last))
		}
	}
	return strings.Join(text, ",")
}

// Within is how many indexes of the set are in another.
func (s Set) Within(other Set) (n int32) {
	for i, j := 0, 0; i < len(s) && j < len(other); {
		n += max(0, min(s[i].Last, other[j].Last)-max(s[i].First, other[j].First)+1)
		if s[i].Last < other[j].Last {
			i++
		} else {
			j++
		}
	}
	return n
}

// Missing are the first n indexes below a limit that are not in the set.
func (s Set) Missing(limit int32, n int) []int32 {
	var missing []int32
	next := int32(0)
	for _, taken := range append(s[:len(s):len(s)], Interval{limit, limit}) {
		for ; next < taken.First && next < limit && len(missing) < n; next++ {
			missing = append(missing, next)
		}
		next = max(next, taken.Last+1)
	}
	return missing
}
