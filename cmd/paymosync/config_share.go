package main

import (
	"math"
	"strconv"
	"strings"
)

// leastShare is below what a sync needs to get anything done.
const leastShare = 5

// share reads how much of Paymo's limit is used, in hundredths: 80%, or 0.8.
func (p *parser) share() int {
	const variable = "RATE_SHARE"
	value := strings.TrimSpace(p.raw.RateShare)
	text, percent := strings.CutSuffix(value, "%")
	share, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
	if !percent {
		share *= 100
	}
	whole := math.Round(share)
	switch {
	case err != nil || math.IsNaN(share):
		p.fail(variable, "%q is no share of Paymo's rate limit; examples: 80%% or 0.8", value)
	case share > 100 && !percent:
		p.fail(variable, "%q is more than all of Paymo's rate limit; a percentage is written with its sign, such as 80%%", value)
	case share > 100:
		p.fail(variable, "%q is more than all of Paymo's rate limit: give 100%% or less", value)
	case share < leastShare:
		p.fail(variable, "%q leaves too little to get anything done: give %d%% or more", value, leastShare)
	case math.Abs(share-whole) > 1e-9:
		p.fail(variable, "%q is no whole percentage: give one such as 80%%", value)
	}
	return int(whole)
}
