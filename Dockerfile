# Two images, of one binary each: `paymosync` (the default) and `fakepaymo`, a Paymo to
# run against without an account.
#
#   docker build -t paymosync --build-arg VERSION=1.2.3 .
#   docker build -t fakepaymo --target fakepaymo .

FROM golang:1.26-bookworm AS build
WORKDIR /src
# The modules are a layer of their own: they change less often than the code.
COPY go.mod go.sum ./
RUN go mod download
COPY . .
ARG VERSION=dev
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.release=${VERSION}" -o /out/ ./cmd/paymosync ./cmd/fakepaymo

# static holds certificate authorities and time zones, and no shell.
FROM gcr.io/distroless/static-debian12:nonroot AS fakepaymo
COPY --from=build /out/fakepaymo /usr/local/bin/fakepaymo
EXPOSE 8090
ENTRYPOINT ["/usr/local/bin/fakepaymo"]

FROM gcr.io/distroless/static-debian12:nonroot AS paymosync
COPY --from=build /out/paymosync /usr/local/bin/paymosync
EXPOSE 8080
ENTRYPOINT ["/usr/local/bin/paymosync"]
CMD ["serve"]
