package pull

import (
	"flag"
	"fmt"
	"io"
	"log"
	"net/http/httptest"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/moby/moby/client"
)

// turns is how often each of the two pulls an image, one after the other.
var turns = flag.Int("pull.turns", 10, "how often BenchmarkPull pulls each image with each of the two")

// BenchmarkPull pulls fresh images with Docker and with the puller in turn, from the same registry, and reports the
// median of each:
//
//	go test ./registry/pull -run '^$' -bench Pull -benchtime 1x
func BenchmarkPull(b *testing.B) {
	one, eight, small := []int{120 << 20}, slices.Repeat([]int{36 << 20}, 8), []int{6 << 20}
	for _, c := range []struct {
		name   string
		layers []int // bytes unpacked
		relay  relay
	}{
		{"small", small, relay{}},
		{"one layer", one, relay{}},
		{"eight layers", eight, relay{}},
		{"one layer, 6 MB/s a connection", one, relay{connection: 6_000_000}},
		{"eight layers, 6 MB/s a connection", eight, relay{connection: 6_000_000}},
		{"eight layers, 12 MB/s in all", eight, relay{all: 12_000_000}},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkPull(b, c.layers, c.relay) })
	}
}

func benchmarkPull(b *testing.B, sizes []int, line relay) {
	e := engine(b)
	p := startPuller(b, e)
	ours := func(ref string) error {
		_, err := p.Pull(b.Context(), ref, nil, nil)
		return err
	}
	docker := func(ref string) error {
		stream, err := e.ImagePull(b.Context(), ref, client.ImagePullOptions{})
		if err != nil {
			return err
		}
		return stream.Wait(b.Context())
	}
	content := files(b, sizes[0])
	// fresh times the pull of an image that nobody has seen.
	fresh := func(name string, pull func(ref string) error) time.Duration {
		s := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
		defer s.Close()
		host := strings.TrimPrefix(s.URL, "http://")
		push(b, e, makeImage(b, e, content.layers(b, len(sizes))...), "%s/leme-test/%s", host, name)
		ref := fmt.Sprintf("%s/leme-test/%s", line.before(b, host), name)
		debug.FreeOSMemory() // what making the image has left is not the pull's
		start := time.Now()
		must(b, pull(ref))
		took := time.Since(start)
		forget(e, ref)
		return took
	}
	for b.Loop() {
		var theirTimes, ourTimes []time.Duration
		for turn := range *turns {
			theirTimes = append(theirTimes, fresh(fmt.Sprintf("bench-docker:%d", turn), docker))
			ourTimes = append(ourTimes, fresh(fmt.Sprintf("bench-leme:%d", turn), ours))
		}
		ours, theirs := median(ourTimes), median(theirTimes)
		b.ReportMetric(ours.Seconds()*1000, "ms")
		b.ReportMetric(theirs.Seconds()*1000, "reference-ms")
		b.Logf("%.2f of docker pull", ours.Seconds()/theirs.Seconds())
	}
	b.ReportMetric(0, "ns/op")
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
}
