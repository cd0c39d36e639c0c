package rest

import (
	"encoding/json"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"leme/server/kind"
	"leme/server/store"
)

// TestCellsAreKeptWithoutTheirAges: a row is made once, and still tells the time at which it is served.
func TestCellsAreKeptWithoutTheirAges(t *testing.T) {
	made := metav1.NewTime(time.Unix(1_700_000_000, 0))
	rows := 0
	table := newTable("row", nil, func(runtime.Object) []any {
		rows++
		return []any{
			"a \"b\"", kind.Age(made), int64(3), kind.Age{}, kind.Restarts{Count: 2, Last: made}, kind.Restarts{},
			kind.Seen{First: kind.Age(made), Last: kind.Age(made), Count: 4, Often: true}, kind.Seen{First: kind.Age(made)}, true,
		}
	})
	it := store.NewItem(store.Key{Name: "x"}, 1, []byte(`{"kind":"X","apiVersion":"v1","metadata":{"name":"x\\\"}"},"a":{}}`), nil)
	for after, want := range map[time.Duration]string{
		5 * time.Second: `["a \"b\"","5s",3,"<unknown>","2 (5s ago)","0","5s (x4 over 5s)","5s",true]`,
		3 * time.Hour:   `["a \"b\"","3h",3,"<unknown>","2 (3h ago)","0","3h (x4 over 3h)","3h",true]`,
	} {
		p := printer{table: table, include: metav1.IncludeMetadata, now: made.Add(after)}
		raw, err := p.appendRow(nil, it)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(raw); got != `{"cells":`+want+`,"object":{"kind":"PartialObjectMetadata","apiVersion":"meta.k8s.io/v1","metadata":{"name":"x\\\"}"}}}` {
			t.Errorf("after %v: %s", after, got)
		}
		if !json.Valid(raw) {
			t.Errorf("not JSON: %s", raw)
		}
	}
	if rows != 1 {
		t.Errorf("the row was made %d times", rows)
	}
}

func FuzzObjectEnd(f *testing.F) {
	f.Add(`{"a":"\\\"}","b":{"c":[{}]}}`)
	f.Fuzz(func(t *testing.T, s string) {
		if !json.Valid([]byte(s)) || s[0] != '{' {
			return
		}
		if got := objectEnd([]byte(s + `,"more":{}`)); s[:got] != s && json.Valid([]byte(s[:got])) == false {
			t.Errorf("%s ends at %d", s, got)
		}
	})
}
