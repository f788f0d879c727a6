package flowvec

import (
	"math"
	"strconv"
	"strings"
)

// style is how a value reads in words.
type style uint8

const (
	asNumber   style = iota
	asCount          // of things
	asEstimate       // of ports: exact up to 4
	asSum            // of such estimates
	asBytes          // with a unit
	asSeconds        // with a unit
	asShare          // 0 to 1: in percent
	asRarity         // -log2 of a share
	asRatio          // log2 of a ratio
)

// Words says a value of this feature, in natural units, and what is usual:
// "1000 destination ports (usually 1)". Where the two read the same there is
// nothing to say.
func (f *Feature) Words(value, usual float64) (text string, differs bool) {
	said, other := f.style.say(value), f.style.say(usual)
	text = strings.Replace(f.words, "%s", said, 1)
	if text != f.words { // it has a number
		text += " (usually " + other + ")"
	}
	plural := "s"
	if said == "1" {
		plural = ""
	}
	return strings.Replace(text, "[s]", plural, 1), said != other
}

// Say is a value of this feature, in natural units, alone: "12 MB".
func (f *Feature) Say(value float64) string { return f.style.say(value) }

// Rarity says that only a large value of the feature is a reason to worry.
func (f *Feature) Rarity() bool { return f.style == asRarity }

func (s style) say(x float64) string {
	switch s {
	case asBytes:
		return scaled(max(0, x), " B", " kB", " MB", " GB", " TB")
	case asSeconds:
		return seconds(max(0, x))
	case asShare:
		return percent(x)
	case asRarity:
		return percent(math.Exp2(-x))
	case asRatio:
		return scaled(math.Exp2(x), "", " k", " M", " G", " T")
	case asCount:
		return scaled(max(0, x), "", " k", " M", " G", " T")
	case asEstimate:
		return estimate(x)
	case asSum:
		return sum(x)
	default:
		return short(x)
	}
}

// sum says a sum of estimates.
func sum(x float64) string {
	if x <= exactPorts {
		return short(x)
	}
	return "about " + scaled(math.Round(x), "", " k", " M", " G", " T")
}

// estimate says a number of ports, of which so many are counted exactly, and the
// largest stands for any that is larger.
func estimate(x float64) string {
	const largest = 1590
	switch {
	case x <= exactPorts:
		return short(x)
	case x >= largest:
		return "over 1500"
	default:
		return "about " + short(math.Round(x))
	}
}

// scaled is x with the unit for its size, each a thousand of the one before.
func scaled(x float64, units ...string) string {
	i := 0
	for x >= 9999.5 && i+1 < len(units) {
		x, i = x/1000, i+1
	}
	return short(x) + units[i]
}

func seconds(x float64) string {
	switch {
	case x < 1:
		return short(x*1000) + " ms"
	case x < 120:
		return short(x) + " s"
	default:
		return short(x/60) + " min"
	}
}

func percent(x float64) string { return short(100*x) + " %" }

// short is x as people say it: whole from 10 up, two figures below.
func short(x float64) string {
	switch a := math.Abs(x); {
	case a >= 9.95:
		return strconv.FormatFloat(math.Round(x), 'f', -1, 64)
	case a < .005:
		return "0"
	case a < .995:
		return strconv.FormatFloat(math.Round(x*100)/100, 'f', -1, 64)
	default:
		return strconv.FormatFloat(math.Round(x*10)/10, 'f', -1, 64)
	}
}
