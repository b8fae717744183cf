package paymotest

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseWhere(t *testing.T) {
	t.Parallel()
	bare := func(texts ...string) (l []literal) {
		for _, s := range texts {
			l = append(l, literal{text: s})
		}
		return l
	}
	quoted := func(texts ...string) (l []literal) {
		for _, s := range texts {
			l = append(l, literal{text: s, quoted: true})
		}
		return l
	}
	for where, want := range map[string][]condition{
		`id=5`:                        {{"id", "=", bare("5")}},
		`id >= 5 and id<10`:           {{"id", ">=", bare("5")}, {"id", "<", bare("10")}},
		`a<>1 AND b!=2 && c<=3`:       {{"a", "!=", bare("1")}, {"b", "!=", bare("2")}, {"c", "<=", bare("3")}},
		`date>=2014-09-01`:            {{"date", ">=", bare("2014-09-01")}},
		`end_time=null`:               {{"end_time", "=", bare("null")}},
		`status=paid and active=true`: {{"status", "=", bare("paid")}, {"active", "=", bare("true")}},
		`name="a \"b\" and c"`:        {{"name", "=", quoted(`a "b" and c`)}},
		`name like "%x%"`:             {{"name", "like", quoted("%x%")}},
		`name not like "x"`:           {{"name", "not like", quoted("x")}},
		`id in (1, 2,3)`:              {{"id", "in", bare("1", "2", "3")}},
		`users not in ("anyone",5)`:   {{"users", "not in", []literal{{"anyone", true}, {"5", false}}}},
		`time_interval in ("2014-12-01T00:00:00Z","2015-01-01T00:00:00Z")`: {{"time_interval", "in",
			quoted("2014-12-01T00:00:00Z", "2015-01-01T00:00:00Z")}},
		`projects.active=true`: {{"projects.active", "=", bare("true")}},
		`android=1`:            {{"android", "=", bare("1")}},
	} {
		got, err := parseWhere(where)
		if err != nil {
			t.Errorf("%s: %v", where, err)
		} else if diff := cmp.Diff(want, got, cmp.AllowUnexported(condition{}, literal{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", where, diff)
		}
	}
	for _, where := range []string{`id`, `id=`, `=5`, `id=5 or id=6`, `id=5 id=6`, `id in 5`, `id in (5`, `id in ()`, `name="x`, `id not 5`,
		`(id=5)`, `id=5 and`, `name='x'`} {
		if got, err := parseWhere(where); err == nil {
			t.Errorf("%s: parsed as %v", where, got)
		}
	}
}

func TestLike(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		s, pattern string
		want       bool
	}{
		{"Website relaunch", "site", true},
		{"Website relaunch", "%RELAUNCH", true},
		{"Website relaunch", "relaunch%", false},
		{"Website relaunch", "web%re%ch", true},
		{"Website relaunch", "%", true},
		{"ab", "ab%b", false},
		{"", "%x%", false},
	} {
		if got := like(tt.s, tt.pattern); got != tt.want {
			t.Errorf("%q like %q: %v", tt.s, tt.pattern, got)
		}
	}
}

func FuzzParseWhere(f *testing.F) {
	f.Add(`a>=1 and b in ("x",2) && c not like "%y\"%"`)
	f.Fuzz(func(t *testing.T, where string) {
		conditions, err := parseWhere(where)
		if err == nil && len(conditions) == 0 {
			t.Errorf("%q: no conditions and no error", where)
		}
	})
}
