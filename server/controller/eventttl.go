package controller

import (
	"context"
	"encoding/json"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

const eventSweep = time.Minute // how often old events are looked for, at most

// newEventTTL removes events that have not been seen again for a while.
func newEventTTL(e *environment) component {
	return &loop[sweep]{
		name:    "eventttl",
		workers: 1,
		sources: []source[sweep]{{atStart, sweepAll}},
		reconcile: func(ctx context.Context, _ sweep) (time.Duration, error) {
			old := oldEvents(e.api.Store().Snapshot(kind.Event.GroupResource()), e.now().Add(-e.EventTTL))
			_, err := sideBySide(len(old), func(i int) error {
				t := resource.Target{Kind: kind.Event, Namespace: old[i].Namespace, Name: old[i].Name, User: "system:controller:event-ttl"}
				_, _, err := e.api.Delete(ctx, t, metav1.DeleteOptions{})
				return ignoreGone(err)
			})
			return min(eventSweep, e.EventTTL), err
		},
	}
}

// oldEvents reads only the times out of the stored bytes: decoding would keep every event in memory twice.
func oldEvents(events *store.Snapshot, before time.Time) []store.Key {
	var old []store.Key
	events.Ascend("", "", "", func(item *store.Item) bool {
		if last := lastSeen(item.JSON); !last.IsZero() && last.Before(before) {
			old = append(old, item.Key)
		}
		return true
	})
	return old
}

// lastSeen is the latest time that an event speaks of, as core/v1 and as events.k8s.io/v1 write it; zero when
// it cannot be read.
func lastSeen(raw []byte) time.Time {
	var e struct {
		Metadata struct {
			CreationTimestamp metav1.Time `json:"creationTimestamp"`
		} `json:"metadata"`
		LastTimestamp metav1.Time      `json:"lastTimestamp"`
		EventTime     metav1.MicroTime `json:"eventTime"`
		Series        *struct {
			LastObservedTime metav1.MicroTime `json:"lastObservedTime"`
		} `json:"series"`
	}
	if err := json.Unmarshal(raw, &e); err != nil {
		return time.Time{}
	}
	last := e.Metadata.CreationTimestamp.Time
	for _, t := range []time.Time{e.LastTimestamp.Time, e.EventTime.Time} {
		if t.After(last) {
			last = t
		}
	}
	if e.Series != nil && e.Series.LastObservedTime.After(last) {
		last = e.Series.LastObservedTime.Time
	}
	return last
}
