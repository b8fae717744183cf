package jobs

import (
	"context"
	"slices"
	"time"

	"github.com/paymosync/paymosync/sink"
)

// readHooks reads where the hooks stand.
func readHooks(ctx context.Context, store *sink.Store, now time.Time) (HooksOverview, error) {
	own, err := store.Hooks(ctx)
	if err != nil || len(own) == 0 {
		return HooksOverview{}, err
	}
	hooks := HooksOverview{Own: own}
	for _, hook := range own {
		// One that failed once may have been told to come back; one that is refused will be again.
		refused := hook.LastStatus/100 == 4 || hook.HeardAt == nil && hook.LastStatus >= 300
		if silent(hook, now) || refused {
			hooks.Silent = append(hooks.Silent, hook.Table)
		}
	}
	hooks.Lag, err = store.Lag(ctx)
	return hooks, err
}

// of is the table's hook, nil where there is none.
func (h HooksOverview) of(table string) *sink.Hook {
	at := slices.IndexFunc(h.Own, func(hook sink.Hook) bool { return hook.Table == table })
	if at < 0 {
		return nil
	}
	return &h.Own[at]
}
