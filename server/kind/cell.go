package kind

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
)

// Timed is a table cell whose text depends on the time of printing. Rows can be kept for as long as their object
// stays the same: only these cells are rendered anew, each time they are served.
type Timed interface {
	At(now time.Time) string
}

// Age prints as the time that has passed since: "5m12s", or "<unknown>" when it is zero.
type Age metav1.Time

// At implements Timed.
func (a Age) At(now time.Time) string {
	if a.Time.IsZero() {
		return unknown
	}
	return duration.HumanDuration(now.Sub(a.Time))
}

// Restarts prints as how often containers were restarted, and when last, when that is known: "3 (5m ago)".
type Restarts struct {
	Count int
	Last  metav1.Time
}

// At implements Timed.
func (r Restarts) At(now time.Time) string {
	if r.Count == 0 || r.Last.IsZero() {
		return fmt.Sprint(r.Count)
	}
	return fmt.Sprintf("%d (%s ago)", r.Count, Age(r.Last).At(now))
}

// Seen prints as when an event happened last and, when it happened often, how often since when: "5s (x3 over 2m)".
type Seen struct {
	First, Last Age
	Count       int32
	Often       bool // false: only First is printed
}

// At implements Timed.
func (s Seen) At(now time.Time) string {
	if !s.Often {
		return s.First.At(now)
	}
	return fmt.Sprintf("%s (x%d over %s)", s.Last.At(now), s.Count, s.First.At(now))
}
