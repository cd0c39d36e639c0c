package source

import (
	"context"
	"encoding/json"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"leme/completion"
)

// objects are the names and states of one type in one namespace: a list, followed by a watch in a session.
type objects struct {
	synced chan struct{} // closed once there was an answer, or a failure

	mu     sync.Mutex
	sorted []completion.Object
	asked  time.Time
}

// Objects are those of a type in the scope's namespace, by name, each with its state in a few words.
func (c *Cluster) Objects(s completion.Scope, t completion.Type) []completion.Object {
	if t.Namespaced {
		s.Namespace = c.namespace(s)
	} else {
		s.Namespace = ""
	}
	key := objectsKey{s, t.Group, t.Resource}
	c.mu.Lock()
	o, ok := c.objects[key]
	if !ok {
		o = &objects{synced: make(chan struct{})}
		c.objects[key] = o
	}
	o.touch()
	c.mu.Unlock()
	if !ok {
		go c.keep(o, key, t)
	}
	if c.Wait > 0 {
		await(o.synced, c.Wait)
	}
	return o.all()
}

func (o *objects) touch() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asked = time.Now()
}

func (o *objects) idle() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Since(o.asked) > idle
}

func (o *objects) all() []completion.Object {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sorted
}

// keep answers once, or for as long as somebody asks.
func (c *Cluster) keep(o *objects, key objectsKey, t completion.Type) {
	var once sync.Once
	answered := func() { once.Do(func() { close(o.synced) }); c.notify() }
	defer answered()
	for c.ctx.Err() == nil {
		err := c.listAndWatch(o, key.scope, t, answered)
		if !c.Follow || c.drop(o, key) {
			return
		}
		if err != nil {
			answered()
			select {
			case <-time.After(retry):
			case <-c.ctx.Done():
			}
		}
	}
}

// drop forgets what nobody asks for any more.
func (c *Cluster) drop(o *objects, key objectsKey) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !o.idle() {
		return false
	}
	delete(c.objects, key)
	return true
}

const acceptTable = "application/json;as=Table;v=v1;g=meta.k8s.io"

// table is as much of a meta.k8s.io/v1 Table as candidates need.
type table struct {
	Metadata struct {
		ResourceVersion string `json:"resourceVersion"`
	} `json:"metadata"`
	Columns []column `json:"columnDefinitions"`
	Rows    []struct {
		Cells []any `json:"cells"`
	} `json:"rows"`
}

type column struct {
	Name     string `json:"name"`
	Priority int    `json:"priority"`
}

func (c *Cluster) listAndWatch(o *objects, s completion.Scope, t completion.Type, answered func()) error {
	client, err := c.client(s)
	if err != nil {
		return err
	}
	path := pathOf(t.Group, t.Version, s.Namespace, t.Resource)
	ctx, cancel := context.WithTimeout(c.ctx, requestTimeout)
	defer cancel()
	var listed table
	if err := client.get(ctx, path, url.Values{"includeObject": {"None"}, "resourceVersion": {"0"}}, acceptTable, &listed); err != nil {
		return err
	}
	o.replace(listed)
	answered()
	if !c.Follow {
		return nil
	}
	return c.watch(client, o, path, listed, answered)
}

func (o *objects) replace(t table) {
	found := make([]completion.Object, 0, len(t.Rows))
	for _, row := range t.Rows {
		if object, ok := objectOf(t.Columns, row.Cells); ok {
			found = append(found, object)
		}
	}
	slices.SortFunc(found, byName)
	o.mu.Lock()
	defer o.mu.Unlock()
	o.sorted = found
}

// watch applies changes until the server ends the watch, or nobody asks any more.
func (c *Cluster) watch(client *client, o *objects, path string, from table, changed func()) error {
	ctx, cancel := context.WithTimeout(c.ctx, idle)
	defer cancel()
	body, err := client.open(ctx, path, url.Values{
		"watch": {"1"}, "includeObject": {"None"}, "resourceVersion": {from.Metadata.ResourceVersion},
	}, acceptTable)
	if err != nil {
		return err
	}
	defer body.Close()
	for events := json.NewDecoder(body); ; {
		var e struct {
			Type   string `json:"type"`
			Object table  `json:"object"`
		}
		if err := events.Decode(&e); err != nil || e.Type == "ERROR" {
			return nil // list again
		}
		for _, row := range e.Object.Rows {
			if object, ok := objectOf(from.Columns, row.Cells); ok {
				o.apply(e.Type, object)
			}
		}
		changed()
	}
}

// apply makes a new slice, as readers hold the old one.
func (o *objects) apply(event string, object completion.Object) {
	o.mu.Lock()
	defer o.mu.Unlock()
	i, found := slices.BinarySearchFunc(o.sorted, object, byName)
	switch {
	case event == "DELETED" && found:
		o.sorted = slices.Delete(slices.Clone(o.sorted), i, i+1)
	case event == "DELETED", event == "BOOKMARK":
	case found:
		o.sorted = slices.Clone(o.sorted)
		o.sorted[i] = object
	default:
		o.sorted = slices.Insert(slices.Clone(o.sorted), i, object)
	}
}

func byName(a, b completion.Object) int { return strings.Compare(a.Name, b.Name) }

// telling is the columns that say most in a few words, in the order they are shown.
var telling = []string{"Status", "Phase", "Ready", "Up-to-date", "Desired", "Type", "Data", "Node", "Reason", "Roles"}

func objectOf(columns []column, cells []any) (completion.Object, bool) {
	if len(cells) == 0 {
		return completion.Object{}, false
	}
	name, ok := cells[0].(string)
	var words []string
	for _, wanted := range telling {
		for i, c := range columns {
			if c.Name == wanted && i < len(cells) {
				words = append(words, text(cells[i]))
			}
		}
	}
	return completion.Object{Name: name, Description: strings.Join(words, " ")}, ok
}

func text(cell any) string {
	if s, ok := cell.(string); ok {
		return s
	}
	raw, err := json.Marshal(cell)
	if err != nil {
		return ""
	}
	return string(raw)
}
