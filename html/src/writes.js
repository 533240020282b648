// The two things that a reader with the token can ask of the controller, and its answers in words. Pure but for the fetch
// and the storage that it is given; the token stays in this tab.

const STORED = 'funkytown.token';

/** storage: a function, for the storage itself may be forbidden. */
export function createWrites({ api, fetch, storage }) {
  const stored = (use) => {
    try {
      return use(storage()) ?? '';
    } catch {
      return ''; // then it is asked for each time
    }
  };

  return {
    token: () => stored((place) => place.getItem(STORED)),

    /** write: 'cancel' or 'rerun'; body: of the rerun. -> '' when it is done, else why not. A token that was taken is kept. */
    async send(write, body, token) {
      let response;
      try {
        response = await fetch(`${api}/${write}`, {
          method: 'POST', headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
        });
      } catch {
        return 'The controller does not answer.';
      }
      if (response.ok) {
        stored((place) => place.setItem(STORED, token));
        return '';
      }
      if (response.status === 401) stored((place) => place.removeItem(STORED));
      const { detail, title } = await response.json().catch(() => ({}));
      return describeRefusal(response.status, detail ?? title ?? '');
    },
  };
}

function describeRefusal(status, detail) {
  const because = detail ? `: ${detail}` : '';
  if (status === 401) return 'The controller has another token.';
  if (status === 403) return `The controller does not allow it${because}. It takes a token when it is started with FUNKYTOWN_TOKEN.`;
  if (status === 409) return `The run is not as you saw it${because}.`;
  return `The controller refused with HTTP ${status}${because}.`;
}
