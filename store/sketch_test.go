package store

import (
	"bytes"
	"math"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// nearestRank is the percentile that sketches come near to.
func nearestRank(latencies []int64, percent int) int64 {
	if len(latencies) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(latencies))
	return sorted[(len(sorted)*percent+99)/100-1]
}

// TestSketch draws latencies, spreads them over sketches that are encoded and merged in either way, and compares
// percentiles with the true ones.
func TestSketch(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		most := rapid.SampledFrom([]int64{0, 3, 1000, 90e6, longestLatency.Microseconds()}).Draw(t, "most")
		latencies := rapid.SliceOfN(rapid.Int64Range(0, most), 0, 300).Draw(t, "latencies")
		parts := []*sketch{newSketch(), newSketch(), newSketch()}
		for i, latency := range latencies {
			parts[i*i%len(parts)].add(latency)
		}
		encoded, merged, decoded := []byte{}, newSketch(), newSketch()
		for _, part := range parts {
			encoded = part.append(encoded)
			merged.merge(part)
		}
		if err := decoded.mergeEncoded(encoded); err != nil {
			t.Fatal(err)
		}
		if one, other := decoded.append(nil), merged.append(nil); !bytes.Equal(one, other) {
			t.Fatalf("decoded and merged differ: %x, %x", one, other)
		}
		for _, percent := range []int{1, 50, 95, 100} {
			want, got := nearestRank(latencies, percent), merged.percentile(percent).Microseconds()
			// Half a microsecond is lost by rounding.
			if math.Abs(float64(got-want)) > float64(want)*sketchAccuracy+0.5 {
				t.Fatalf("p%d is %d, want %d", percent, got, want)
			}
		}
	})
}

func TestSketchBounds(t *testing.T) {
	s := newSketch()
	for range 1000 {
		for latency := int64(1); latency < math.MaxInt64/4; latency *= 3 {
			s.add(latency)
		}
	}
	s.add(math.MaxInt64)
	s.add(math.MinInt64)
	if n := len(s.append(nil)); n > 4<<10 {
		t.Errorf("it takes %d bytes", n)
	}
	if got := s.percentile(100); got > longestLatency*102/100 || got < longestLatency*98/100 {
		t.Errorf("the longest is %v", got)
	}
	s.clear()
	if b := s.append(nil); len(b) != 0 || s.percentile(50) != 0 {
		t.Errorf("cleared, it still has %x", b)
	}
}

// FuzzSketch feeds bytes that nothing of ours wrote: they are refused, or make a sketch like any other.
func FuzzSketch(f *testing.F) {
	s := newSketch()
	f.Add(s.append(nil))
	for i := range 300 {
		s.add(int64(i) * 1000)
		s.add(int64(i * i * i * i))
	}
	f.Add(s.append(nil))
	f.Add(s.append(nil)[:40])
	f.Add([]byte{0x05, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	f.Add([]byte{0x0d, 0x7f, 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 2, 2, 2})
	f.Fuzz(func(t *testing.T, b []byte) {
		s := newSketch()
		if s.mergeEncoded(b) != nil {
			return
		}
		if p := s.percentile(95); p < 0 || p > longestLatency+longestLatency/50+time.Microsecond {
			t.Errorf("p95 is %v", p)
		}
		again := newSketch()
		if err := again.mergeEncoded(s.append(nil)); err != nil && s.zero+s.above.TotalCount() <= largestCount {
			t.Errorf("its own encoding: %v", err)
		}
	})
}
