/*
Copyright (c) 2026, Quayside contributors
GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
SPDX-License-Identifier: GPL-3.0-or-later
*/
// The page is whole without this. It adds sorting, filters, and how old the page is.
(function () {
  'use strict';

  function make(name, attributes, text) {
    const element = document.createElement(name);
    for (const key of Object.keys(attributes || {})) element.setAttribute(key, attributes[key]);
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function valueOf(row, column) {
    const cell = row.cells[column];
    if (!cell) return '';
    return cell.dataset.sort !== undefined ? cell.dataset.sort : cell.textContent.trim();
  }

  function compare(one, other) {
    // What is not known comes last, whatever the direction.
    if (one === '' || other === '') return null;
    const first = Number(one), second = Number(other);
    if (!Number.isNaN(first) && !Number.isNaN(second)) return first - second;
    return one.localeCompare(other, undefined, {numeric: true, sensitivity: 'base'});
  }

  function rowsOf(body) {
    return Array.from(body.rows).filter(row => !row.classList.contains('group'));
  }

  function sortBy(table, column, down) {
    for (const body of table.tBodies) {
      const keyed = rowsOf(body).map(row => [valueOf(row, column), row]);
      keyed.sort(([one], [other]) => {
        const order = compare(one, other);
        if (order === null) return (one === '') - (other === '');
        return down ? -order : order;
      });
      for (const pair of keyed) body.append(pair[1]);
    }
    Array.from(table.tHead.rows[0].cells).forEach((head, place) => {
      if (head.querySelector('button')) head.setAttribute('aria-sort', place !== column ? 'none' : down ? 'descending' : 'ascending');
    });
  }

  function addSorting(table, tools) {
    const select = make('select', {});
    select.append(make('option', {value: ''}, 'As written'));
    Array.from(table.tHead.rows[0].cells).forEach((head, column) => {
      if (head.dataset.plain !== undefined) return;
      const name = head.textContent.trim();
      const button = make('button', {type: 'button'}, name);
      const numeric = head.classList.contains('num') || head.dataset.down !== undefined;
      button.addEventListener('click', () => {
        const now = head.getAttribute('aria-sort');
        sortBy(table, column, now === 'none' ? numeric : now !== 'descending');
      });
      head.replaceChildren(button);
      head.setAttribute('aria-sort', 'none');
      select.append(make('option', {value: column + (numeric ? 'd' : 'a')}, name));
    });
    select.addEventListener('change', () => {
      if (select.value) sortBy(table, parseInt(select.value, 10), select.value.endsWith('d'));
    });
    const label = make('label', {class: 'sort'}, 'Sort by ');
    label.append(select);
    tools.append(label);
  }

  function addFilters(table, tools) {
    const name = table.dataset.name;
    const label = make('label', {});
    label.append(make('span', {class: 'unseen'}, 'Filter ' + name));
    const input = make('input', {type: 'search', placeholder: 'Filter ' + name, autocomplete: 'off', spellcheck: 'false'});
    label.append(input);
    tools.append(label);
    const off = new Set();
    const toggles = (table.dataset.toggles || '').split(' ').filter(Boolean);
    if (toggles.length) {
      const group = make('div', {class: 'toggles', role: 'group', 'aria-label': 'Show'});
      for (const toggle of toggles) {
        if (!table.querySelector('tr.is-' + toggle)) continue;
        const button = make('button', {type: 'button', 'aria-pressed': 'true', class: toggle});
        button.append(table.querySelector('.sev.' + toggle + ' svg').cloneNode(true), toggle[0].toUpperCase() + toggle.slice(1));
        button.addEventListener('click', () => {
          const on = button.getAttribute('aria-pressed') === 'true';
          button.setAttribute('aria-pressed', String(!on));
          if (on) off.add(toggle); else off.delete(toggle);
          apply();
        });
        group.append(button);
      }
      tools.append(group);
    }
    const count = make('output', {'aria-live': 'polite'});
    tools.append(count);

    function apply() {
      const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
      let shown = 0, all = 0;
      for (const body of table.tBodies) {
        let here = 0;
        for (const row of rowsOf(body)) {
          const text = row.textContent.toLowerCase() + ' ' + (row.dataset.is || '');
          const is = (row.dataset.is || '').split(' ');
          const keep = words.every(word => text.includes(word)) && !is.some(one => off.has(one));
          row.hidden = !keep;
          here += keep;
          all += 1;
        }
        const group = body.querySelector('tr.group');
        if (group) group.hidden = !here;
        shown += here;
      }
      count.textContent = shown === all ? '' : shown + ' of ' + all + ' rows';
    }

    input.addEventListener('input', apply);
    table.showAll = () => {
      input.value = '';
      off.clear();
      for (const button of tools.querySelectorAll('[aria-pressed]')) button.setAttribute('aria-pressed', 'true');
      apply();
    };
  }

  function follow() {
    const row = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (!row || row.tagName !== 'TR') return;
    const table = row.closest('table');
    if (row.hidden && table.showAll) table.showAll();
    row.setAttribute('tabindex', '-1');
    row.focus({preventScroll: true});
    row.scrollIntoView({block: 'center'});
  }

  const FEW = 8;  // rows that are seen at a glance

  for (const table of document.querySelectorAll('table[data-name]')) {
    const tools = make('div', {class: 'tools'});
    const frame = table.closest('.frame');
    addFilters(table, tools);
    addSorting(table, tools);
    if (table.rows.length > FEW) frame.before(tools);
    if (frame.scrollWidth > frame.clientWidth) {
      // Whoever has only a keyboard has to be able to scroll it.
      frame.setAttribute('tabindex', '0');
      frame.setAttribute('role', 'region');
      frame.setAttribute('aria-label', table.dataset.name + ', scrollable');
    }
  }

  const note = document.getElementById('old');
  const hours = (Date.now() - Date.parse(note.dataset.made)) / 3600000;
  if (hours >= 26) {
    note.textContent = hours < 48 ? 'More than a day old.' : Math.floor(hours / 24) + ' days old.';
    note.hidden = false;
  }

  window.addEventListener('hashchange', follow);
  follow();
})();
