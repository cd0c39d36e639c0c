package pull

import (
	"strings"
	"sync"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
)

// reportEvery is the least time between two reports.
const reportEvery = 300 * time.Millisecond

// Progress is how far a pull has come, in bytes as the registry has them and in layers.
type Progress struct {
	Done, Total        int64
	LayersDone, Layers int
}

// meter adds up what is here of an image's layers and reports it, not too often, and never backwards.
type meter struct {
	report func(Progress)
	total  int64

	mu     sync.Mutex
	layers map[v1.Hash]int64 // by diffID: compressed bytes here
	sizes  map[v1.Hash]int64
	names  map[v1.Hash]v1.Hash // digests to diffIDs: the engine names layers by either
	last   time.Time
	most   int64
}

func newMeter(layers []layer, report func(Progress)) *meter {
	m := &meter{report: report, layers: map[v1.Hash]int64{}, sizes: map[v1.Hash]int64{}, names: map[v1.Hash]v1.Hash{}}
	for _, l := range layers {
		if _, twice := m.sizes[l.diffID]; !twice {
			m.total += l.size
		}
		m.sizes[l.diffID] = l.size
		m.names[l.diffID], m.names[l.digest] = l.diffID, l.diffID
	}
	return m
}

// set says how much of a layer is here.
func (m *meter) set(diffID v1.Hash, n int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.layers[diffID] = n
	m.tell(false)
}

// complete says that the engine has a layer. short is the start of its name's hex, as the engine's stream gives it.
func (m *meter) complete(short string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for name, diffID := range m.names {
		if len(short) >= 12 && strings.HasPrefix(name.Hex, short) {
			m.layers[diffID] = m.sizes[diffID]
		}
	}
	m.tell(false)
}

// finish reports all of it.
func (m *meter) finish() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for diffID, size := range m.sizes {
		m.layers[diffID] = size
	}
	m.tell(true)
}

// stop ends reporting.
func (m *meter) stop() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.report = nil
}

func (m *meter) tell(now bool) {
	if m.report == nil || !now && time.Since(m.last) < reportEvery {
		return
	}
	var done int64
	p := Progress{Total: m.total, Layers: len(m.sizes)}
	for diffID, n := range m.layers {
		done += n
		if n == m.sizes[diffID] {
			p.LayersDone++
		}
	}
	if m.most = max(m.most, done); now || m.most > 0 {
		m.last, p.Done = time.Now(), m.most
		m.report(p)
	}
}
