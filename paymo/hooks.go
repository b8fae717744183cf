package paymo

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/go-json-experiment/json"

	"github.com/paymosync/paymosync/paymo/catalog"
)

// Hook is a subscription at Paymo: it calls a URL when something happens (the reference's
// "Webhooks").
type Hook struct {
	ID         int64
	TargetURL  string
	Event      string // or a pattern of events, such as *.Task
	Where      string // of the objects that it is about; "": all
	LastStatus int    // what the URL answered last; 0: it was not called yet
}

// hookFields are what is sent of a hook; what is empty is left as it is.
type hookFields struct {
	TargetURL string `json:"target_url,omitzero"`
	Event     string `json:"event,omitzero"`
	Secret    string `json:"secret,omitzero"`
}

// Hooks are those that the key's user has made; others are not listed. With an error the
// page, if not nil, tells the cost.
func (c *Client) Hooks(ctx context.Context) ([]Hook, *Page, error) {
	resource := hookResource()
	page, err := c.List(ctx, resource, Query{})
	if err != nil {
		return nil, page, err
	}
	if len(page.Rejects) > 0 {
		return nil, page, fmt.Errorf("GET %s: %s", resource.Path, page.Rejects[0].Problem)
	}
	return hooksOf(page), page, nil
}

// MakeHook has Paymo call the URL of the events, signed with the secret. Where the call
// broke off, a hook may have been made all the same: Hooks tells.
func (c *Client) MakeHook(ctx context.Context, targetURL, event, secret string) (Hook, *Page, error) {
	return c.writeHook(ctx, http.MethodPost, hookResource().Path, hookFields{targetURL, event, secret})
}

// ChangeHook gives a hook another URL and another secret. One that is not there any more
// is an *APIError that is NotFound.
func (c *Client) ChangeHook(ctx context.Context, id int64, targetURL, secret string) (Hook, *Page, error) {
	return c.writeHook(ctx, http.MethodPut, hookPath(id), hookFields{TargetURL: targetURL, Secret: secret})
}

// DeleteHook ends a hook. That it is not there any more is no error.
func (c *Client) DeleteHook(ctx context.Context, id int64) (*Page, error) {
	page, err := c.do(ctx, call{method: http.MethodDelete, path: hookPath(id)})
	if api, ok := errors.AsType[*APIError](err); ok && api.Gone() {
		return page, nil
	}
	return page, err
}

func (c *Client) writeHook(ctx context.Context, method, path string, fields hookFields) (Hook, *Page, error) {
	body, err := json.Marshal(fields)
	if err != nil {
		return Hook{}, nil, fmt.Errorf("%s %s: %w", method, path, err)
	}
	page, err := c.do(ctx, call{method: method, path: path, body: body, secret: fields.Secret, decode: c.decoders["webhooks"].decode})
	if err != nil {
		return Hook{}, page, err
	}
	hooks := hooksOf(page)
	if len(hooks) != 1 || hooks[0].TargetURL != fields.TargetURL || fields.Event != "" && hooks[0].Event != fields.Event {
		return Hook{}, page, fmt.Errorf("%s %s: the reply does not hold the hook that was asked for", method, path)
	}
	return hooks[0], page, nil
}

func hookResource() *catalog.Resource {
	resource, _ := catalog.Lookup("webhooks")
	return resource
}

func hookPath(id int64) string { return fmt.Sprintf("%s/%d", hookResource().Path, id) }

// hooksOf are the hooks of a reply.
func hooksOf(page *Page) []Hook {
	hooks := make([]Hook, len(page.Records))
	for i, record := range page.Records {
		hooks[i].ID = record.ID
		for j, column := range hookResource().Stored() {
			text := record.Values[j].Text
			switch column.Name {
			case "target_url":
				hooks[i].TargetURL = text
			case "event":
				hooks[i].Event = text
			case "where":
				hooks[i].Where = text
			case "last_status_code":
				hooks[i].LastStatus, _ = strconv.Atoi(text)
			}
		}
	}
	return hooks
}
