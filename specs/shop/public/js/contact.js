import { api, EMAIL, find, formValues, showFieldErrors } from './dom.js';

const form = find('[data-contact]');
const message = form.elements.message;

message.addEventListener('input', () => { find('[data-left]').textContent = String(500 - message.value.length); });

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const values = formValues(form);
  const problems = {};
  if (!values.name.trim()) problems.name = 'Enter your name.';
  if (!EMAIL.test(values.email.trim())) problems.email = 'Enter an email address such as ana@example.com.';
  if (!values.topic) problems.topic = 'Choose a topic.';
  if (values.message.trim().length < 10) problems.message = 'Write at least ten characters.';
  if (!showFieldErrors(form, problems)) return void form.querySelector('[aria-invalid]').focus();
  const { reference } = await api('contact', values);
  find('[data-reference]').textContent = reference;
  form.hidden = true;
  find('[data-sent]').hidden = false;
});
