import { useRoute } from 'vitepress';
import DefaultTheme from 'vitepress/theme';
import { nextTick, onMounted, watch } from 'vue';

import Diagram from './Diagram.vue';
import './style.css';

export default {
  extends: DefaultTheme,
  enhanceApp: ({ app }) => app.component('Diagram', Diagram),
  setup() {
    const route = useRoute();
    onMounted(landmarks);
    watch(
      () => route.path,
      () => nextTick(landmarks),
    );
  },
};

/** What the theme leaves out for screen readers: the main part of the first page, and all that the search button shows. */
function landmarks() {
  document.querySelector('.VPContent.is-home')?.setAttribute('role', 'main');
  document.querySelector('.VPContent:not(.is-home)')?.removeAttribute('role');
  const search = document.querySelector('.DocSearch-Button');
  search?.setAttribute('aria-label', search.textContent);
}
