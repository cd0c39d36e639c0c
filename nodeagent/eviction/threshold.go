package eviction

import (
	"cmp"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
)

// Amount is so much of something, or a share of its capacity.
type Amount struct {
	Count int64
	Share float64 // counts where Count is 0
}

// Of is the amount in units of what has this capacity.
func (a Amount) Of(capacity int64) int64 {
	if a.Count > 0 {
		return a.Count
	}
	return int64(float64(capacity) * a.Share)
}

// Threshold is what may not be undercut.
type Threshold struct {
	Signal     Signal
	Value      Amount
	Grace      time.Duration // how long it may be undercut; 0: a hard one
	MinReclaim Amount        // beyond the threshold, once it is undercut
}

// Hard says that pods have no time to end well.
func (t Threshold) Hard() bool { return t.Grace == 0 }

// DefaultHard are the kubelet's thresholds on Linux.
func DefaultHard() map[string]string {
	return map[string]string{
		"memory.available": "100Mi", "nodefs.available": "10%", "nodefs.inodesFree": "5%",
		"imagefs.available": "15%", "imagefs.inodesFree": "5%",
	}
}

// Parse reads thresholds as the kubelet's flags have them: hard and soft map a signal to a quantity or a percentage, of
// which 0% and 100% are none; grace maps the soft ones to a duration; reclaim any to what is to be freed beyond them.
func Parse(hard, soft, grace, reclaim map[string]string) ([]Threshold, error) {
	all, err := parseThresholds(hard)
	if err != nil {
		return nil, err
	}
	patient, err := parseThresholds(soft)
	if err != nil {
		return nil, err
	}
	for i := range patient {
		if patient[i].Grace, err = parseGrace(grace, patient[i].Signal); err != nil {
			return nil, err
		}
	}
	for signal := range grace {
		if !Signal(signal).known() {
			return nil, fmt.Errorf("unsupported eviction signal %v", signal)
		}
	}
	all = append(all, patient...)
	for signal, text := range reclaim {
		amount, err := parseReclaim(Signal(signal), text)
		if err != nil {
			return nil, err
		}
		for i := range all {
			if all[i].Signal == Signal(signal) {
				all[i].MinReclaim = amount
			}
		}
	}
	return slices.DeleteFunc(all, overridden), nil
}

// overridden tells of thresholds that do not count, as the kubelet does.
func overridden(t Threshold) bool {
	if !t.Signal.implied() {
		return false
	}
	how := "hard"
	if !t.Hard() {
		how = "soft"
	}
	slog.Warn(fmt.Sprintf("found %s for %s eviction. ignoring", t.Signal, how))
	return true
}

// OfAllocatable are the thresholds by which pods are held to the memory that is not kept from them: what is to be free of
// the machine's is to be free of theirs.
func OfAllocatable(all []Threshold) []Threshold {
	var more []Threshold
	for _, t := range all {
		if t.Signal == MemoryAvailable && t.Hard() {
			t.Signal = AllocatableMemoryAvailable
			more = append(more, t)
		}
	}
	return more
}

func parseThresholds(statements map[string]string) ([]Threshold, error) {
	var all []Threshold
	for name, text := range statements {
		signal := Signal(name)
		if !signal.known() {
			return nil, fmt.Errorf("unsupported eviction signal %v", name)
		}
		if text == "0%" || text == "100%" {
			continue
		}
		value, err := parseAmount(text)
		switch {
		case err != nil:
			return nil, fmt.Errorf("eviction threshold %v: %w", name, err)
		case value.Share < 0:
			return nil, fmt.Errorf("eviction percentage threshold %v must be >= 0%%: %s", name, text)
		case value.Share > 1:
			return nil, fmt.Errorf("eviction percentage threshold %v must be <= 100%%: %s", name, text)
		case value.Share == 0 && value.Count <= 0:
			return nil, fmt.Errorf("eviction threshold %v must be positive: %s", name, text)
		}
		all = append(all, Threshold{Signal: signal, Value: value})
	}
	sortThresholds(all)
	return all, nil
}

func parseGrace(statements map[string]string, signal Signal) (time.Duration, error) {
	text, found := statements[string(signal)]
	if !found {
		return 0, fmt.Errorf("grace period must be specified for the soft eviction threshold %v", signal)
	}
	grace, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("eviction grace period of %v: %w", signal, err)
	}
	if grace < 0 {
		return 0, fmt.Errorf("invalid eviction grace period specified: %v, must be a positive value", text)
	}
	return grace, nil
}

func parseReclaim(signal Signal, text string) (Amount, error) {
	if !signal.known() {
		return Amount{}, fmt.Errorf("unsupported eviction signal %v", signal)
	}
	amount, err := parseAmount(text)
	switch {
	case err != nil:
		return amount, fmt.Errorf("eviction minimum reclaim of %v: %w", signal, err)
	case strings.HasSuffix(text, "%") && amount.Share <= 0:
		return amount, fmt.Errorf("eviction percentage minimum reclaim %v must be positive: %s", signal, text)
	case amount.Count < 0:
		return amount, fmt.Errorf("negative eviction minimum reclaim specified for %v", signal)
	}
	return amount, nil
}

func parseAmount(text string) (Amount, error) {
	if percent, ok := strings.CutSuffix(text, "%"); ok {
		n, err := strconv.ParseFloat(percent, 64)
		return Amount{Share: n / 100}, err
	}
	q, err := resource.ParseQuantity(text)
	return Amount{Count: q.Value()}, err
}

func sortThresholds(all []Threshold) {
	slices.SortStableFunc(all, func(a, b Threshold) int {
		return cmp.Or(cmp.Compare(a.Signal.urgency(), b.Signal.urgency()), cmp.Compare(a.Grace, b.Grace))
	})
}

// crossed lists the thresholds that are undercut; with reclaim those too that are so by less than what is to be freed.
func crossed(thresholds []Threshold, seen Observations, reclaim bool) []Threshold {
	var list []Threshold
	for _, t := range thresholds {
		o, ok := seen[t.Signal]
		if !ok {
			continue
		}
		least := t.Value.Of(o.Capacity)
		if reclaim {
			least += t.MinReclaim.Of(o.Capacity)
		}
		if o.Available < least {
			list = append(list, t)
		}
	}
	return list
}
