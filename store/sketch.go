package store

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/DataDog/sketches-go/ddsketch/encoding"
	"github.com/DataDog/sketches-go/ddsketch/mapping"
	bins "github.com/DataDog/sketches-go/ddsketch/store"
)

const (
	// sketchAccuracy is how far a percentile may be from the true one, as a part of it.
	sketchAccuracy = 0.01
	// longestLatency is what any longer one counts as. It bounds a sketch to about 1,270 bins.
	longestLatency = 24 * time.Hour
	// largestCount is the largest whole number that a bin's float64 can count up to.
	largestCount = 1 << 53
)

var errSketch = errors.New("a sketch of latencies is damaged")

// latencyMapping is where the bins' bounds are: stored sketches depend on it. It is never changed.
var latencyMapping, lastBin = func() (mapping.IndexMapping, int) { //nolint:gochecknoglobals // a constant that has to be computed
	m, err := mapping.NewLogarithmicMapping(sketchAccuracy)
	if err != nil {
		panic(err) // the accuracy is a constant
	}
	return m, m.Index(float64(longestLatency.Microseconds()))
}()

// sketch counts latencies in bins that grow with them (a DDSketch, https://www.vldb.org/pvldb/vol12/p2195-masson.pdf), so that
// sketches can be merged and still give percentiles to sketchAccuracy. Stored, it is DDSketch's own encoding.
type sketch struct {
	zero  float64 // below a microsecond
	above *bins.DenseStore
}

func newSketch() *sketch { return &sketch{above: bins.NewDenseStore()} }

// clear empties the sketch and keeps its memory.
func (s *sketch) clear() {
	s.zero = 0
	s.above.Clear()
}

// latencyBin is where a sketch counts a latency.
type latencyBin int16

// belowMicrosecond is the bin of what the mapping has none for.
const belowMicrosecond latencyBin = -1

// latencyBinOf is the bin of a latency in microseconds.
func latencyBinOf(micros int64) latencyBin {
	if micros <= 0 {
		return belowMicrosecond
	}
	return latencyBin(latencyMapping.Index(float64(min(micros, longestLatency.Microseconds()))))
}

// add counts a latency in microseconds.
func (s *sketch) add(micros int64) { s.addBin(latencyBinOf(micros)) }

func (s *sketch) addBin(bin latencyBin) {
	if bin == belowMicrosecond {
		s.zero++
		return
	}
	s.above.Add(int(bin))
}

func (s *sketch) merge(other *sketch) {
	s.zero += other.zero
	s.above.MergeWith(other.above)
}

// append adds the sketch's encoding to b. Encodings one after the other are the encoding of their sum.
func (s *sketch) append(b []byte) []byte {
	if s.zero > 0 {
		encoding.EncodeFlag(&b, encoding.FlagZeroCountVarFloat)
		encoding.EncodeVarfloat64(&b, s.zero)
	}
	s.above.Encode(&b, encoding.FlagTypePositiveStore)
	return b
}

// mergeEncoded adds what append made. The library's own decoder would take indexes and counts of any size, and passes over
// what is cut off. With an error, part of b may have been added.
func (s *sketch) mergeEncoded(b []byte) error {
	for len(b) > 0 {
		flag, err := encoding.DecodeFlag(&b)
		if err != nil {
			return errors.Join(errSketch, err)
		}
		switch flag {
		case encoding.FlagZeroCountVarFloat:
			var n float64
			if n, err = decodeCount(&b); err == nil {
				s.zero += n
			}
		case encoding.NewFlag(encoding.FlagTypePositiveStore, encoding.BinEncodingContiguousCounts):
			err = s.mergeBins(&b, true)
		case encoding.NewFlag(encoding.FlagTypePositiveStore, encoding.BinEncodingIndexDeltasAndCounts):
			err = s.mergeBins(&b, false)
		default:
			err = errors.New("an unknown part")
		}
		if err != nil {
			return errors.Join(errSketch, err)
		}
	}
	return nil
}

// mergeBins reads bins, each with its distance from the one before, which contiguous ones share.
func (s *sketch) mergeBins(b *[]byte, contiguous bool) error {
	n, err := encoding.DecodeUvarint64(b)
	if err != nil {
		return err
	}
	var index, step int64
	if contiguous {
		if index, err = encoding.DecodeVarint64(b); err != nil {
			return err
		}
		if step, err = encoding.DecodeVarint64(b); err != nil {
			return err
		}
	}
	for range n {
		if !contiguous {
			if step, err = encoding.DecodeVarint64(b); err != nil {
				return err
			}
			index += step
		}
		count, err := decodeCount(b)
		if err != nil {
			return err
		}
		if count > 0 {
			if index < 0 || index > int64(lastBin) {
				return fmt.Errorf("bin %d of %d", index, lastBin)
			}
			s.above.AddWithCount(int(index), count)
		}
		if contiguous {
			index += step
		}
	}
	return nil
}

func decodeCount(b *[]byte) (float64, error) {
	n, err := encoding.DecodeVarfloat64(b)
	if err == nil && !(n >= 0 && n <= largestCount && n == math.Trunc(n)) {
		err = errors.New("a count that is none")
	}
	return n, err
}

// percentile is by nearest rank: the least latency that at least that many percent do not exceed. It is zero where there is
// none.
func (s *sketch) percentile(percent int) time.Duration {
	rank := math.Ceil((s.zero+s.above.TotalCount())*float64(percent)/100) - 1 - s.zero
	if rank < 0 || s.above.IsEmpty() {
		return 0
	}
	return time.Duration(math.Round(latencyMapping.Value(s.above.KeyAtRank(rank)))) * time.Microsecond
}
